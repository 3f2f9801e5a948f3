"""The page of the history: promotions, refusals and all other events, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from textclf.metadata.verdict import FORCED
from textclf.registry.event_log import Event
from textclf.registry.history import Entry, unmet_rules, what_happened
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, table
from textclf.server.pages.layout import Page, json_link, link, problems, version_link
from textclf.server.refusal import Refusal
from textclf.server.service import Service


def history(service: Service, request: Request) -> Page:
    """Return a page of the history."""
    after = history_start(request)
    page = service.catalogue.history(after)
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
        link("Older", "/history", after=page.next) if page.next else None,
        json_link("/history", after=after or None),
    )
    return Page("History", body, page.as_json())


def history_start(request: Request) -> int:
    """Return the number of entries before the page that a URL asks for. Raises Refusal."""
    after = request.query_params.get("after", "0")
    if not (after.isascii() and after.isdecimal() and len(after) < 10):  # noqa: PLR2004
        raise Refusal.invalid("after is the number of entries before the page")
    return int(after)


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
