"""The page of the history: promotions, refusals and all other events, newest first."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from starlette.requests import Request

from textclf.metadata.verdict import FORCED
from textclf.registry.event_log import Event
from textclf.registry.history import Entry, unmet_rules, what_happened
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, table
from textclf.server.catalogue import HistoryQuery, parse_query
from textclf.server.pages.layout import Page, json_link, link, problems, version_link
from textclf.server.service import Service


def history(service: Service, request: Request) -> Page:
    """Return a page of the history."""
    query = parse_query(request.query_params, HistoryQuery)
    page = service.catalogue.history(query)
    body = join(
        el("h1", "History"),
        problems(page.problems),
        table(
            "Promotions and other events, newest first; times are UTC",
            [
                Column("when"),
                Column("what", "row"),
                Column("from", "number"),
                Column("version", "number"),
                Column("by", "less"),
                Column("why"),
            ],
            map(_row, page.entries),
        ),
        link("Older", "/history", **_state(query, page.next)) if page.next else None,
        json_link("/history", **_state(query, query.after)),
    )
    return Page("History", body, page.as_json())


def _state(query: HistoryQuery, after: int) -> dict[str, int]:
    """Return the parameters of a page of the history, without those that are as by default."""
    state: dict[str, int] = msgspec.to_builtins(HistoryQuery(after, query.limit))
    return state


def _row(entry: Entry) -> Sequence[object]:
    if isinstance(entry, Event):
        unmet = unmet_rules(entry)
        why = "; ".join([*([entry.message] if entry.message else []), *unmet])
        return _cells(entry, entry.kind, None, entry.version, why)
    gate = entry.gate.verdict if entry.gate else None
    what = join(what_happened(entry), ", " if gate else None, _verdict(gate) if gate else None)
    return _cells(entry, what, entry.previous, entry.to, entry.message or "")


def _verdict(verdict: str) -> Html:
    return el("strong", verdict, class_="orange") if verdict == FORCED else el("span", verdict)


def _cells(
    entry: Entry, what: object, before: str | None, version: str, why: str
) -> Sequence[object]:
    return (
        entry.at.replace("T", " "),
        what,
        version_link(before) if before else "",
        version_link(version),
        el("bdi", entry.by),
        el("bdi", why),
    )
