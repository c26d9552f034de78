"""Pages for everyone, signed in or not: the endpoints, the choice of a language, how a phone installs the portal."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from chassis.problems import answer_http
from portal import api_document
from portal.api.services import document_of_all
from portal.api.sign_in import ServiceSettings
from portal.pages.language import LANGUAGES
from portal.pages.rendering import render, static
from portal.pages.visit import LANGUAGE_COOKIE, formats_of
from portal.pages.ways import on_this_host

open_pages = APIRouter(include_in_schema=False)

ICON_SIZES = (192, 512)
LANGUAGE_KEPT_SECONDS = 365 * 24 * 3600


@open_pages.get("/docs")
async def show_endpoints(request: Request) -> HTMLResponse:
    """All endpoints, by what they are about."""
    endpoints = api_document.endpoints_by_tag(await document_of_all(request))
    return render("endpoints.html", formats_of(request), endpoints=endpoints)


@open_pages.get("/language")
async def choose_language(settings: ServiceSettings, to: str = "", next: str = "/") -> Response:
    """For this browser, whoever signs in; the profile stays as it is."""
    answer = RedirectResponse(on_this_host(next), 303)
    if to in LANGUAGES:
        answer.set_cookie(
            LANGUAGE_COOKIE,
            to,
            max_age=LANGUAGE_KEPT_SECONDS,
            httponly=True,
            samesite="lax",
            secure=settings.cookies_need_https,
        )
    return answer


@open_pages.get("/manifest.webmanifest")
async def get_manifest() -> JSONResponse:
    icon = {"src": static("icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}
    document = {
        "name": "Orderloom",
        "short_name": "Orderloom",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#faf8f3",
        "theme_color": "#faf8f3",
        "icons": [icon, icon | {"purpose": "maskable"}, *_icons_as_png()],
    }
    return JSONResponse(document, media_type="application/manifest+json")


def _icons_as_png() -> list[dict[str, str]]:
    """As far as they are built: for platforms that take no SVG."""
    built = {size: static(f"build/icon-{size}.png") for size in ICON_SIZES}
    return [
        {"src": address, "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size, address in built.items()
        for purpose in ("any", "maskable")
        if address
    ]


async def answer_reader(request: Request, error: Exception) -> Response:
    """A page for a person who is where nothing is; for a program, the same as from every service."""
    assert isinstance(error, HTTPException)
    if error.status_code != 404 or "text/html" not in request.headers.get("accept", ""):
        return await answer_http(request, error)
    return render("errors/no_page.html", formats_of(request), status=404)
