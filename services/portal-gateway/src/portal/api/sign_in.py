"""Signing in and out, and the keys by which everyone can verify who signed in."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from chassis.clock import utc_now
from chassis.database import Database
from chassis.http import Session, SignedIn, router
from chassis.problems import problem
from portal import operations, queries
from portal.credentials import COOKIE, csrf_of, keep_in_cookie
from portal.models.user import TooManyFailures
from portal.schemas.access import PrincipalOut, SignedInUserOut, SignInIn, TokenOut
from portal.settings import Settings
from portal.signing import Signer

keys = APIRouter(tags=["sign-in"])
sign_in = router(prefix="/auth", tags=["sign-in"])


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _signer(request: Request) -> Signer:
    signer: Signer = request.app.state.signer
    return signer


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


ServiceSettings = Annotated[Settings, Depends(_settings)]
TokenSigner = Annotated[Signer, Depends(_signer)]
ServiceDatabase = Annotated[Database, Depends(_database)]


@keys.get("/.well-known/jwks.json")
async def get_keys(signer: TokenSigner) -> dict[str, Any]:
    return signer.jwks


@keys.post("/auth/sign-in")
async def sign_in_by_password(
    body: SignInIn, response: Response, database: ServiceDatabase, signer: TokenSigner, settings: ServiceSettings
) -> TokenOut:
    """A token for an hour, also kept in a cookie. Ten failures within five minutes make one wait."""
    signed_in = await operations.sign_in(database, signer, name=body.user, password=body.password, now=utc_now())
    keep_in_cookie(response, signed_in.token, settings)
    response.headers["Cache-Control"] = "no-store"
    user = SignedInUserOut(
        user_id=signed_in.user.user_id,
        name=signed_in.user.name,
        kind=signed_in.user.principal.kind,
        locale=signed_in.user.locale,
        roles=signed_in.user.roles,
        client_id=signed_in.user.client_id,
        client_code=signed_in.user.client_code,
    )
    token = signed_in.token
    return TokenOut(token=token.text, expires_in=token.expires_in_seconds, csrf=csrf_of(token.text), user=user)


@sign_in.post("/sign-out", status_code=204)
async def sign_out(response: Response, principal: SignedIn) -> None:
    """Forgets the cookie. The token itself stays good until it expires."""
    response.delete_cookie(COOKIE)


@sign_in.get("/me")
async def who_am_i(session: Session, principal: SignedIn) -> PrincipalOut:
    user = await queries.find_user(session, principal.user_id) if principal.kind != "integration" else None
    return PrincipalOut(
        user_id=principal.user_id,
        kind=principal.kind,
        roles=sorted(principal.roles),
        client_id=principal.client_id,
        name=user.name if user else None,
        locale=user.locale if user else None,
    )


async def answer_too_many_failures(request: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, TooManyFailures)
    answer = problem(refusal)
    answer.headers["Retry-After"] = str(refusal.retry_after_seconds)
    return answer
