"""The plain HTML pages: the orders, one order, and the endpoints. Signing in for them is in `sign_in_page`."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from chassis.errors import Refusal
from chassis.http import Filter, PageCut, Session, router
from chassis.principal import Principal
from portal import api_document, queries
from portal.api.services import document_of_all
from portal.api.sign_in import ServiceSettings
from portal.credentials import COOKIE, csrf_of
from portal.models.order_view import OrderNotFound
from portal.pages import render, words_for
from portal.schemas.orders import ClientTimelineEntryOut, PortalOrderOut, TimelineEntryOut, WorkOrderOut
from portal.wording import Words

pages = router(include_in_schema=False, default_response_class=HTMLResponse)

TIMELINE_ENTRIES_MAX = 100


class SignInFirst(Refusal):
    """A page is asked for by nobody: it leads to the sign-in, and back."""

    status = 303


async def _viewer(request: Request) -> Principal:
    principal: Principal | None = request.state.principal
    if principal is None:
        raise SignInFirst("Sign in to see this page.")
    return principal


async def lead_to_sign_in(request: Request, refusal: Exception) -> RedirectResponse:
    """The handler of `SignInFirst`."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(here, safe='')}", 303)


Viewer = Annotated[Principal, Depends(_viewer)]


async def _words(session: Session, viewer: Viewer, settings: ServiceSettings, lang: str | None = None) -> Words:
    user = await queries.find_user(session, viewer.user_id)
    return words_for(settings, asked=lang, locale=user.locale if user else None)


async def _frame(request: Request, viewer: Viewer) -> dict[str, Any]:
    """What every page of someone who is signed in shows around its own."""
    cookie = request.cookies.get(COOKIE)
    return {"viewer": viewer, "path": request.url.path, "csrf": csrf_of(cookie) if cookie else None}


ViewersWords = Annotated[Words, Depends(_words)]
Frame = Annotated[dict[str, Any], Depends(_frame)]


@pages.get("/")
async def show_orders(
    session: Session, viewer: Viewer, words: ViewersWords, frame: Frame, cut: PageCut, search: Filter = None
) -> HTMLResponse:
    """The orders that the viewer may see, the newest first."""
    rows = await queries.list_orders(session, cut, seen_by=viewer, wanted=queries.Wanted(search=search))
    page = cut.page(rows, lambda order: [order.order_id])
    return render("orders.html", words, **frame, orders=page["items"], cursor=page["next_cursor"], search=search or "")


@pages.get("/orders/{order_id}")
async def show_order(
    order_id: UUID, session: Session, viewer: Viewer, words: ViewersWords, frame: Frame
) -> HTMLResponse:
    """Everything for the company's people; for a client what is disclosed of their own."""
    try:
        view = await queries.get_order(session, order_id, seen_by=viewer)
    except OrderNotFound:
        return render("not_found.html", words, status=404, **frame)
    newest = await queries.newest_of_timeline(session, order_id, limit=TIMELINE_ENTRIES_MAX, seen_by=viewer)
    if viewer.kind == "client":
        order: Any = PortalOrderOut.of(view)
        timeline: list[Any] = [ClientTimelineEntryOut.of(entry) for entry in newest]
    else:
        order = WorkOrderOut.model_validate(view)
        timeline = [TimelineEntryOut.model_validate(entry) for entry in newest]
    return render("order.html", words, **frame, order=order, timeline=timeline)


@pages.get("/docs")
async def show_endpoints(request: Request, settings: ServiceSettings, lang: str | None = None) -> HTMLResponse:
    """All endpoints, by what they are about."""
    endpoints = api_document.endpoints_by_tag(await document_of_all(request))
    return render("endpoints.html", words_for(settings, asked=lang, locale="en"), endpoints=endpoints)
