"""The URLs of the pages; each has its data at the same URL with ``.json``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from textclf.errors import TextclfError
from textclf.report.html.markup import el, join
from textclf.server.exchange import KEEP_FOR_A_YEAR, exchange_of, json_response, read_body
from textclf.server.pages import compare, history, home, version, versions
from textclf.server.pages.layout import Page, page_response, style_path, stylesheet, url
from textclf.server.promoter import Promoter
from textclf.server.refusal import Refusal, as_refusal
from textclf.server.routing import Endpoint, PathRoute
from textclf.server.service import Service

Builder = Callable[[Service, Request], Page]


def page_routes(service: Service) -> Sequence[PathRoute]:
    """Return the routes of all pages."""
    pages: list[tuple[str, Builder]] = [
        ("/", home.home),
        ("/versions", versions.versions),
        ("/versions/{version}", version.version),
        ("/compare", compare.compare),
        ("/history", history.history),
    ]
    routes = [
        PathRoute(style_path(), _style),
        PathRoute("/favicon.ico", _no_icon),
        PathRoute("/", _try, "POST"),
        # the data first: {version} would match 1.1.0.json, too
        *(PathRoute(f"{path}.json", _data(build)) for path, build in pages),
        *(PathRoute(path, _page(build)) for path, build in pages),
    ]
    if service.settings.allow_promote:
        routes.append(PathRoute("/versions/{version}/promote", _promote, "POST"))
        routes.append(PathRoute("/rollback", _rollback, "POST"))
    return routes


async def _style(_request: Request) -> Response:
    return Response(stylesheet(), 200, {"cache-control": KEEP_FOR_A_YEAR}, media_type="text/css")


async def _no_icon(_request: Request) -> Response:
    """Answer browsers, which ask for an icon unasked."""
    return Response(None, 204, {"cache-control": KEEP_FOR_A_YEAR})


def _data(build: Builder) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        page = await run_in_threadpool(build, Service.of(request), request)
        return json_response(page.data)

    return endpoint


def _page(build: Builder) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        service = Service.of(request)
        return await _shown(request, lambda: build(service, request))

    return endpoint


async def _shown(request: Request, build: Callable[[], Page]) -> Response:
    """Return a page, or a page that says why there is none."""
    try:
        page = await run_in_threadpool(build)
    except (Refusal, TextclfError) as error:
        page = _problem(as_refusal(error))
    return page_response(request, page)


def _problem(refusal: Refusal, what: str = "This page cannot be shown") -> Page:
    body = join(el("h1", what), el("p", refusal.message, role="alert"))
    return Page("Problem", body, {"error": refusal.message}, refusal.status)


async def _try(request: Request) -> Response:
    service = Service.of(request)
    model = service.model
    exchange_of(request).version = model.version
    text = (await _form(request)).get("text", "")
    try:
        explained = await service.explainer.explain(model, [text] if text else [])
    except (Refusal, TextclfError) as error:
        return page_response(request, _problem(as_refusal(error)))
    explanation = explained[0] if explained else None
    return await _shown(request, lambda: home.page(service, model, explanation))


async def _promote(request: Request) -> Response:
    version = request.path_params["version"]
    return await _change(request, lambda promoter, why, _: promoter.promote(version, why))


async def _rollback(request: Request) -> Response:
    return await _change(request, lambda promoter, why, to: promoter.rollback(why, to))


async def _change(
    request: Request, change: Callable[[Promoter, str, str | None], None]
) -> Response:
    """Change which version is promoted, and show the first page.

    The form has a message, and perhaps the version that it is ``to`` promote.
    """
    require_same_origin(request)
    service = Service.of(request)
    form = await _form(request)
    message = form.get("message", "").strip()
    try:
        if not message:
            raise Refusal.invalid("a promotion needs a message, which is recorded")
        await run_in_threadpool(change, service.promoter, message, form.get("to"))
        await run_in_threadpool(service.reloader.check)
    except (Refusal, TextclfError) as error:
        return page_response(request, _problem(as_refusal(error), "Nothing was promoted"))
    return RedirectResponse(url("/"), 303)


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent."""
    body = await read_body(request, Service.of(request).settings)
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise Refusal(400, f"the form cannot be read: {error}", "malformed") from None
    return {name: values[-1].replace("\r\n", "\n") for name, values in fields.items()}


def require_same_origin(request: Request) -> None:
    """Refuse a change that another site makes with the credentials of a browser's user.

    A browser says so in Sec-Fetch-Site, whatever a proxy has made of Host. One that is old, or that
    does not trust the connection, sends Origin alone with a form; programs send neither.
    """
    site, origin = (request.headers.get(name) for name in ("sec-fetch-site", "origin"))
    if site is None and origin is not None:
        is_own = origin.partition("://")[2] == request.headers.get("host", "")
    else:
        is_own = site in (None, "same-origin", "none")
    if not is_own:
        raise Refusal(403, "this form was sent from another site", "cross_site")
