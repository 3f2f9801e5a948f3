"""The page that compares two versions."""

from __future__ import annotations

import msgspec
from starlette.requests import Request

from textclf.report.html.markup import Html, el, join
from textclf.report.page import comparison_report
from textclf.server.pages.layout import Page, choice, field, json_link, url
from textclf.server.service import Service

_OFFERED = 200
"""Versions that can be chosen from a list; others are typed into the URL."""


def compare(service: Service, request: Request) -> Page:
    """Return the comparison of the two versions that the URL names, or a form to choose them."""
    a, b = (request.query_params.get(name, "") for name in "ab")
    if not (a and b):
        body = join(
            el("h1", "Compare two versions"), _form(service, a or "previous", b or "latest")
        )
        return Page("Compare", body, {"a": a or None, "b": b or None})
    before, after = (str(service.catalogue.resolve(name)) for name in (a, b))
    report = comparison_report(*(service.catalogue.subject(name) for name in (before, after)))
    body = join(
        report.header(),
        _form(service, before, after),
        report.body(),
        json_link("/compare", a=before, b=after),
    )
    data = msgspec.to_builtins(service.catalogue.compare(before, after))
    return Page(f"{before} → {after}", body, data)


def _form(service: Service, a: str, b: str) -> Html:
    known = [version.version for version in service.catalogue.newest(_OFFERED)]
    names = {name: name for name in ("latest", "previous", a, b, *known)}
    return el(
        "form",
        field("From", choice("a", names, a)),
        field("To", choice("b", names, b)),
        el("button", "Compare"),
        method="get",
        action=url("/compare"),
        class_="filter",
    )
