"""The page of one version: its report, its tags, and what can be done with it."""

from __future__ import annotations

from starlette.requests import Request

from textclf.formatting import tag_list
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import fact_list
from textclf.report.page import version_report
from textclf.server.pages.layout import Page, json_link, link, promotion_form
from textclf.server.service import Service


def version(service: Service, request: Request) -> Page:
    """Return the page of a version."""
    name = request.path_params["version"]
    number = str(service.catalogue.resolve(name))
    data = service.catalogue.version(number)
    report = version_report(service.catalogue.subject(number))
    tags = tag_list(data["tags"])
    compare = link("with the promoted version", "/compare", a="latest", b=number)
    body = join(
        report.header(),
        fact_list(
            [
                ("State", el("span", "promoted", class_="badge") if data["latest"] else None),
                ("Tags", el("bdi", tags) if tags else None),
                ("Compare", None if data["latest"] else compare),
            ]
        ),
        _promotion(service, number),
        report.body(),
        json_link(f"/versions/{number}"),
    )
    return Page(f"Version {number}", body, data)


def _promotion(service: Service, number: str) -> Html | None:
    """Return the form that promotes a version, if this server may do that."""
    if not service.settings.allow_promote or number == service.promoter.promoted():
        return None
    return promotion_form(f"Promote {number}", f"/versions/{number}/promote")
