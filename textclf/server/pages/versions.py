"""The list of versions, paged and sorted on the server, with a chart of a metric."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
from starlette.requests import Request

from textclf.formatting import excerpt, percent, plural, tag_list
from textclf.metadata.channels import LATEST
from textclf.registry.listing import ListedVersion
from textclf.report.html.charts import Scale, label, line, picture, ticks
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, change_cell, table
from textclf.server.catalogue import ListQuery, VersionPage, parse_query
from textclf.server.pages.layout import (
    Page,
    choice,
    field,
    json_link,
    link,
    problems,
    url,
    version_link,
)
from textclf.server.service import Service
from textclf.server.version_index import METRICS

_POINTS = 400
"""Points that a chart has at most."""

_WIDTH, _HEIGHT = 400, 180
"""Pixels: what a phone shows without making the letters smaller."""

_HEADS = {
    "version": "version",
    "macro_f1": "macro F1",
    "test_accuracy": "test accuracy",
    "rows": "rows",
    "saved_at": "published",
}


def versions(service: Service, request: Request) -> Page:
    """Return a page of the list."""
    page = service.catalogue.versions(parse_query(request.query_params, ListQuery))
    body = join(
        el("h1", "Versions"),
        problems(page.problems),
        _chart(page),
        _form(page.query),
        _table(page),
        _turning(page),
        json_link("/versions", **_parameters(page.query)),
    )
    return Page("Versions", body, page.as_json())


def _parameters(query: ListQuery, **changes: object) -> dict[str, object]:
    """Return the parameters of a URL: those that differ from what is meant without them."""
    usual = msgspec.to_builtins(ListQuery())
    asked = msgspec.to_builtins(query) | changes
    return {name: value for name, value in asked.items() if value != usual[name]}


def _form(query: ListQuery) -> Html:
    return el(
        "form",
        field("Search", el("input", type="search", name_="q", value=query.q)),
        field("Metric", choice("metric", METRICS, query.metric)),
        field("Sort by", choice("sort", _HEADS, query.sort)),
        field("Order", choice("order", {"desc": "descending", "asc": "ascending"}, query.order)),
        el("button", "Show"),
        method="get",
        action=url("/versions"),
        class_="filter",
    )


def _table(page: VersionPage) -> Html:
    columns = [
        Column(_head(page.query, "version"), "row"),
        Column(_head(page.query, "macro_f1"), "number"),
        Column("change", "number"),
        Column(_head(page.query, "test_accuracy"), "number less"),
        Column(_head(page.query, "rows"), "number less"),
        Column(_head(page.query, "saved_at"), "less"),
        Column("tags", "less"),
        Column("message"),
    ]
    shown = plural(page.total, "version")
    if page.versions:
        shown += f", {page.first:,} to {page.first + len(page.versions) - 1:,} of them"
    below = {one.version: lower for one, lower in pairwise(page.all)}
    rows = (_row(version, below.get(version.version)) for version in page.versions)
    return table(f"{shown}; times are UTC", columns, rows)


def _head(query: ListQuery, sort: str) -> Html:
    """Return the head of a column: a link that sorts by it, or turns the order round."""
    ascending = query.sort == sort and query.order == "desc"
    arrow = "" if query.sort != sort else " ▾" if query.order == "desc" else " ▴"
    changes = {"sort": sort, "order": "asc" if ascending else "desc", "after": None}
    return link(f"{_HEADS[sort]}{arrow}", "/versions", **_parameters(query, **changes))


def _row(version: ListedVersion, below: ListedVersion | None) -> Sequence[object]:
    badges = (join(" ", _badge(mark)) for mark in version.marks)
    return (
        join(version_link(version.version), *badges),
        percent(version.macro_f1),
        change_cell(version.macro_f1 - below.macro_f1 if below else None),
        percent(version.test_accuracy),
        "unknown" if version.rows is None else f"{version.rows:,}",
        version.saved,
        el("bdi", tag_list(version.tags)),
        el("bdi", excerpt(version.message or "", 80)),
    )


def _badge(channel: str) -> Html:
    return el("span", "promoted" if channel == LATEST else channel, class_="badge")


def _turning(page: VersionPage) -> Html:
    """Return the links to the first and the next page."""
    links = []
    if page.query.after:
        links.append(link("First page", "/versions", **_parameters(page.query, after=None)))
    if page.next:
        links.append(link("Next page", "/versions", **_parameters(page.query, after=page.next)))
    return el("p", *(join(" ", part) for part in links), class_="turning")


def _chart(page: VersionPage) -> Html | None:
    """Draw a metric over the versions, the lowest on the left."""
    name = METRICS[page.query.metric]
    numbers = ((version, getattr(version, page.query.metric)) for version in page.all[::-1])
    known = [(version, number) for version, number in numbers if number is not None]
    step = max(1, len(known) // _POINTS)
    last = (len(known) - 1) % step  # the newest is always drawn
    drawn = [point for n, point in enumerate(known) if n % step == last or point[0].latest]
    if len(drawn) < 2:  # noqa: PLR2004 - a line needs two points
        return None
    shown, values = [version for version, _ in drawn], [number for _, number in drawn]
    low, high = min(values), max(values)
    room = max(0.005, (high - low) * 0.1)
    x = Scale(0, len(shown) - 1, 56, _WIDTH - 80)
    y = Scale(low - room, high + room, _HEIGHT - 28, 40 - _HEIGHT)
    path = " ".join(f"{x(n):.1f},{y(v):.1f}" for n, v in enumerate(values))
    ends = ((0, "start"), (len(shown) - 1, "end"))
    return el(
        "figure",
        picture(
            "metric",
            _WIDTH,
            _HEIGHT,
            f"{name} of {plural(len(page.all), 'version')}",
            f"from {percent(low)} to {percent(high)}; the newest has {percent(values[-1])}",
            *(
                join(
                    line(x(0), y(at), x(len(shown) - 1), y(at), "grid"),
                    label(48, y(at) + 4, percent(at), "end", "tick"),
                )
                for at in ticks(y.low, y.high)
            ),
            el("polyline", points=path, class_="curve blue"),
            *(_point(version, x(n), y(values[n]), values[n]) for n, version in enumerate(shown)),
            *(label(x(n), _HEIGHT - 8, shown[n].version, anchor, "tick") for n, anchor in ends),
        ),
        el("figcaption", f"{name} on the test rows of each version, which may differ"),
    )


def _point(version: ListedVersion, x: float, y: float, value: float) -> Html:
    number = version.version
    return el(
        "a",
        el("title", f"{number}: {percent(value)}{', promoted' if version.latest else ''}"),
        el("circle", cx=x, cy=y, r=5 if version.latest else 2.5, class_="mean"),
        href=url(f"/versions/{number}"),
        tabindex=-1,  # hundreds of points would stand before the table, which has the same links
    )
