"""The other two ways of saying who one is, beside a bearer token: a system's API key, and the cookie of the pages.

Either becomes the `Authorization` header before anything behind looks, so that behind here there is one way only.
"""

import hashlib
import secrets

from fastapi import FastAPI, Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.clock import utc_now
from chassis.database import Database
from chassis.http import SAFE_METHODS
from chassis.problems import problem
from chassis.tokens import NotSignedIn, Verifier
from portal import queries
from portal.models.api_key import sha256
from portal.settings import Settings
from portal.signing import OF_DEVICES, Signer, Token

COOKIE = "orderloom_session"
DEVICE_COOKIE = "orderloom_device"
"""Of a browser from which somebody has signed in: see `operations.sign_in`."""
CSRF_HEADER = "x-orderloom-csrf"
API_KEY_HEADER = "x-api-key"


class Credentials:
    """ASGI middleware. A bearer token goes before a key, and a key before a cookie."""

    def __init__(self, app: ASGIApp, *, api: FastAPI) -> None:
        self._app = app
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request = Request(scope)
        try:
            token = await self._token(request)
        except NotSignedIn as refusal:
            return await problem(refusal)(scope, receive, send)
        if token:
            MutableHeaders(scope=scope)["authorization"] = f"Bearer {token}"
        await self._app(scope, receive, send)

    async def _token(self, request: Request) -> str | None:
        """To be put into the request, if none is in it. Raises `NotSignedIn`."""
        if "authorization" in request.headers:
            await self._refuse_signed_out(request.headers["authorization"])
            return None
        if key := request.headers.get(API_KEY_HEADER):
            return await self._token_of_key(key)
        if cookie := request.cookies.get(COOKIE):
            return await self._token_of_cookie(request, cookie)
        return None

    async def _token_of_key(self, secret: str) -> str:
        """A fresh one, good for minutes. Raises `NotSignedIn`."""
        database: Database = self._api.state.database
        async with database.transaction() as session:  # takes no connection while the keys are in memory
            keys = await queries.API_KEYS.get(session)
        key = keys.get(sha256(secret))
        if key is None:
            raise NotSignedIn("This API key is not known, or was withdrawn: ask an administrator for another.")
        signer: Signer = self._api.state.signer
        return signer.sign(key.principal, now=utc_now()).text

    async def _refuse_signed_out(self, authorization: str) -> None:
        """Raises `NotSignedIn`. Whether the token is good at all, those behind ask for themselves."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer" and await is_good(self._api, token) is False:
            raise NotSignedIn("You have signed out, or something about you has changed: sign in again.")

    async def _token_of_cookie(self, request: Request, token: str) -> str | None:
        """Browsers send a cookie whoever made the page: what changes something must also prove to come from ours."""
        if request.method not in SAFE_METHODS and not is_csrf_of(token, request.headers.get(CSRF_HEADER, "")):
            return None
        return token if await is_good(self._api, token) else None  # one that does not count is as good as none


async def is_good(api: FastAPI, token: str) -> bool | None:
    """Of a token, False once it was taken back; None when nobody should trust it anyway."""
    verifier: Verifier = api.state.verifier
    try:
        principal = await verifier.principal(token)
    except NotSignedIn:
        return None
    database: Database = api.state.database
    async with database.transaction() as session:  # takes no connection while the sign-outs are in memory
        return not await queries.is_signed_out(session, principal)


def csrf_of(token: str) -> str:
    """What only a page that was told the session's secret can know."""
    return hashlib.sha256(f"csrf {token}".encode()).hexdigest()


def is_csrf_of(token: str, given: str) -> bool:
    return secrets.compare_digest(csrf_of(token).encode(), given.encode())


def keep_in_cookies(response: Response, token: Token, device: str, settings: Settings) -> None:
    """No script reads them, and no other site's form sends them."""
    secure = settings.cookies_need_https
    response.set_cookie(
        COOKIE, token.text, max_age=token.expires_in_seconds, httponly=True, samesite="lax", secure=secure
    )
    kept_for = int(OF_DEVICES.total_seconds())
    response.set_cookie(DEVICE_COOKIE, device, max_age=kept_for, httponly=True, samesite="strict", secure=secure)


def forget_session(response: Response, settings: Settings) -> None:
    """The browser's own memory of having signed in from there stays."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=settings.cookies_need_https)
