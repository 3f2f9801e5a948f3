"""The frame of every page."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from textclf._version import __version__
from textclf.report.html.markup import Html, document, el
from textclf.report.page import style_sheet
from textclf.server.exchange import exchange_of
from textclf.server.routing import relative
from textclf.server.service import Service

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

_PLACES = (
    ("/", "Home"),
    ("/versions", "Versions"),
    ("/compare", "Compare"),
    ("/history", "History"),
)


@dataclass(frozen=True)
class Page:
    """A page before it has its frame.

    Attributes:
        title: its title.
        body: its content.
        data: the same as a value, for ``.json``.
        status: the HTTP status.
    """

    title: str
    body: Html
    data: Any
    status: int = 200


def page_response(request: Request, page: Page) -> Response:
    """Return a page with its frame."""
    content = document(
        f"{page.title} · textclf",
        el("a", "Skip to the content", href="#content", class_="skip"),
        _header(request),
        el("main", page.body, id="content"),
        el("footer", f"textclf {__version__}", " · ", link("API", "/docs")),
        style=el("link", rel="stylesheet", href=url(style_path())),
        referrer="same-origin",
    )
    headers = {
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "cache-control": "no-cache",
    }
    return Response(content, page.status, headers, media_type="text/html; charset=utf-8")


def _header(request: Request) -> Html:
    service, shown = Service.of(request), exchange_of(request).route
    links = (
        el("li", el("a", name, href=url(at), aria_current="page" if at == shown else None))
        for at, name in _PLACES
    )
    problem = service.reloader.problem
    banner = problem and el(
        "p",
        f"Version {service.model.version} is served, because the promoted version cannot be "
        f"opened: {problem}",
        class_="warning",
        role="alert",
    )
    return el("header", el("nav", el("ul", *links), aria_label="Pages"), banner or None)


def link(text: object, path: str, **parameters: object) -> Html:
    """Return a link; parameters that are ``None`` or empty are left out."""
    return el("a", text, href=url(path, **parameters))


def url(path: str, **parameters: object) -> str:
    """Return a path with parameters, as a page has it."""
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return relative(f"{path}?{urlencode(given)}" if given else path)


def version_link(version: str) -> Html:
    """Return a link to the page of a version."""
    return link(version, f"/versions/{version}")


def json_link(path: str, **parameters: object) -> Html:
    """Return the link to the data of a page."""
    return el("p", link("JSON", f"{path}.json", **parameters), class_="note")


def field(label: object, control: Html) -> Html:
    """Return a control of a form with its label."""
    return el("label", el("span", label), control)


def choice(name: str, options: dict[str, str], chosen: str) -> Html:
    """Return a list to choose from."""
    return el(
        "select",
        *(
            el("option", text, value=value, selected=value == chosen)
            for value, text in options.items()
        ),
        name_=name,
    )


def promotion_form(button: str, path: str, to: str | None = None) -> Html:
    """Return a form that changes which version is promoted, with a message and to which one."""
    return el(
        "form",
        field("Message", el("input", name_="message", required=True, maxlength=500)),
        el("input", type="hidden", name_="to", value=to) if to else None,
        el("button", button),
        method="post",
        action=url(path),
    )


@cache
def stylesheet() -> str:
    """Return the style sheet: that of reports, and what pages need beyond it."""
    return style_sheet() + files("textclf.server").joinpath("pages", "pages.css").read_text("utf-8")


@cache
def style_path() -> str:
    """Return the path of the style sheet, which changes with its content."""
    return f"/static/{hashlib.sha256(stylesheet().encode()).hexdigest()[:16]}.css"


def problems(messages: object) -> Html | None:
    """Return what could not be read, if there is anything."""
    listed = [el("li", message) for message in messages]  # type: ignore[attr-defined]
    return el("ul", *listed, class_="warning") if listed else None
