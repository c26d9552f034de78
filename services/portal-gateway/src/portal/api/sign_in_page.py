"""Signing in and out by plain forms."""

import secrets
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from chassis.clock import utc_now
from chassis.tokens import NotSignedIn, Verifier
from contracts.strict import Text
from portal import operations
from portal.api.sign_in import ServiceDatabase, ServiceSettings, TokenSigner, device_of
from portal.credentials import COOKIE, forget_session, is_csrf_of, keep_in_cookies
from portal.models.user import TooManyFailures
from portal.operations.sign_in import WrongNameOrPassword
from portal.pages.language import N_
from portal.pages.rendering import render
from portal.pages.visit import formats_of
from portal.pages.ways import on_this_host
from portal.settings import Settings

sign_in_page = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

FORM_COOKIE = "orderloom_form"
"""Holds what the form must repeat: nobody else's page can sign a reader in as someone they are not."""

Field = Annotated[str, Form(max_length=200)]
Name = Annotated[Text, Form()]
Address = Annotated[str, Form(max_length=2000)]
Way = Annotated[str, Query(max_length=2000)]
WRONG = {
    "wrong": N_("The name and the password do not belong together. Check them and try again."),
    "too_many": N_("Too many failures. Try again in %(seconds)s seconds."),
    "expired": N_("The page was too old. Sign in again."),
}


@sign_in_page.get("/sign-in")
async def show_sign_in(
    request: Request, settings: ServiceSettings, next: Way = "/", expired: bool = False
) -> HTMLResponse:
    return _form(request, settings, next=next, wrong="expired" if expired else None)


@sign_in_page.post("/sign-in")
async def sign_in_by_form(
    request: Request,
    database: ServiceDatabase,
    signer: TokenSigner,
    settings: ServiceSettings,
    user: Name = "",
    password: Field = "",
    form: Field = "",
    next: Address = "/",
) -> Response:
    """To where the reader wanted to go; the form again, with what is wrong, if that fails."""
    expected = request.cookies.get(FORM_COOKIE, "")
    if not expected or not secrets.compare_digest(expected.encode(), form.encode()):
        return _form(request, settings, next=next, status=403, wrong="expired")
    try:
        signed_in = await operations.sign_in(
            database, signer, name=user, password=password, device=device_of(request), now=utc_now()
        )
    except WrongNameOrPassword as refusal:
        return _form(request, settings, next=next, status=refusal.status, wrong="wrong", user=user)
    except TooManyFailures as refusal:
        seconds = refusal.retry_after_seconds
        page = _form(request, settings, next=next, status=refusal.status, wrong="too_many", seconds=seconds, user=user)
        page.headers["Retry-After"] = str(seconds)
        return page
    answer = RedirectResponse(on_this_host(next), 303)
    keep_in_cookies(answer, signed_in.token, signed_in.device, settings)
    answer.delete_cookie(FORM_COOKIE)
    return answer


@sign_in_page.post("/sign-out")
async def sign_out_by_form(
    request: Request, database: ServiceDatabase, settings: ServiceSettings, csrf: Field = ""
) -> RedirectResponse:
    """As `POST /auth/sign-out`, if the form is one of ours."""
    answer = RedirectResponse("/sign-in", 303)
    token = request.cookies.get(COOKIE, "")
    if is_csrf_of(token, csrf):
        verifier: Verifier = request.app.state.verifier
        with suppress(NotSignedIn):  # too old: there is nothing to take back
            principal = await verifier.principal(token)
            async with database.transaction() as session:
                await operations.sign_out(session, principal, now=utc_now())
        forget_session(answer, settings)
    return answer


def _form(
    request: Request,
    settings: Settings,
    *,
    next: str,
    status: int = 200,
    wrong: str | None = None,
    seconds: int = 0,
    user: str = "",
) -> HTMLResponse:
    formats = formats_of(request)
    form = secrets.token_urlsafe(24)
    page = render(
        "sign_in.html",
        formats,
        status=status,
        form=form,
        next=on_this_host(next),
        wrong=formats.text(WRONG[wrong], seconds=seconds) if wrong else None,
        wrong_field="password" if wrong == "wrong" else "user",
        user=user,
    )
    page.set_cookie(FORM_COOKIE, form, httponly=True, samesite="strict", secure=settings.cookies_need_https)
    return page
