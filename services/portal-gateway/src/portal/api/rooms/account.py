"""One's own: the language, what one is told, the keys, and the way out."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import ValidationError

from chassis.clock import utc_now
from chassis.errors import Refusal, field_errors
from portal import operations, queries
from portal.api.sign_in import ServiceDatabase, ServiceSettings, TokenSigner, device_of
from portal.credentials import keep_in_cookies
from portal.forwarding import ServiceAway
from portal.pages.calls import by_field, refused_here
from portal.pages.visit import LANGUAGE_COOKIE, AnyVisit, SentForm, Visit, pages_router
from portal.schemas.access import OwnPasswordIn

account = pages_router()

NOTICES = 12


@account.get("/me")
async def show_account(visit: AnyVisit, cursor: Annotated[str | None, Query(max_length=500)] = None) -> Response:
    """Who I am here, and what I was told."""
    return await _page(visit, cursor=cursor)


@account.post("/me/password")
async def change_password(
    visit: AnyVisit, sent: SentForm, database: ServiceDatabase, signer: TokenSigner, settings: ServiceSettings
) -> Response:
    """Whoever else is signed in as me no longer is."""
    given = {"present_password": sent.raw("present_password"), "new_password": sent.raw("new_password")}
    try:
        body = OwnPasswordIn(**given)
        signed_in = await operations.change_own_password(
            database,
            signer,
            user_id=visit.viewer.user_id,
            present=body.present_password,
            new=body.new_password,
            device=device_of(visit.request),
            now=utc_now,
        )
    except ValidationError as reason:
        return await _page(visit, errors=visit.errors_in_words(by_field(field_errors(reason))))
    except Refusal as reason:
        return await _page(
            visit, errors={"present_password": visit.refusal_in_words(refused_here(reason))}, status=reason.status
        )
    answer = visit.done("/me", "saved")
    keep_in_cookies(answer, signed_in.token, signed_in.device, settings)
    return answer


@account.post("/me/language")
async def change_language(visit: AnyVisit, sent: SentForm) -> Response:
    """Of the profile: mails and notices are written in it from now on."""
    locale = sent.text("locale")
    async with visit.writing() as session:
        await operations.change_own_locale(session, user_id=visit.viewer.user_id, locale=locale)
    answer = visit.done("/me", "saved")
    answer.delete_cookie(LANGUAGE_COOKIE)
    return answer


@account.post("/me/notices/read")
async def read_all(visit: AnyVisit, sent: SentForm) -> Response:
    await visit.calls.send("notify", "notices/read-all", {}, key=sent.key)
    return visit.done("/me", "read")


@account.get("/help")
async def show_help(visit: AnyVisit) -> Response:
    return visit.render("help.html")


async def _page(
    visit: Visit, *, cursor: str | None = None, errors: dict[str, str] | None = None, status: int = 422
) -> Response:
    async with visit.reading() as session:
        user = await queries.find_user(session, visit.viewer.user_id)
    try:
        notices = await visit.calls.get("notify", "notices", limit=NOTICES, cursor=cursor)
    except ServiceAway:
        notices = None
    shown = {"user": user, "notices": notices, "happened": happened, "errors": errors or {}}
    return visit.render("account.html", status=status if errors else 200, **shown)


def happened(text: str) -> str:
    """A notice without its last paragraph, which says where the order is: here the notice itself leads there."""
    *told, last = text.strip().split("\n\n")
    return " ".join(told) if told and "://" in last else text
