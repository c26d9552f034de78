"""Signing in and out, and the keys by which everyone can verify who signed in."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from chassis.clock import utc_now
from chassis.database import Database
from chassis.http import Now, Session, authenticate, router
from chassis.http import SignedIn as SomeoneSignedIn
from chassis.principal import NotAllowed, Principal
from chassis.tokens import NotSignedIn
from portal import operations, queries
from portal.credentials import DEVICE_COOKIE, csrf_of, forget_session, keep_in_cookies
from portal.operations.sign_in import SignedIn
from portal.schemas.access import OwnPasswordIn, PrincipalOut, SignedInUserOut, SignInIn, TokenOut
from portal.settings import Settings
from portal.signing import Signer

keys = APIRouter(tags=["sign-in"])
sign_in = router(prefix="/auth", tags=["sign-in"])


GUESSED: dict[int | str, dict[str, Any]] = {429: {}}


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _signer(request: Request) -> Signer:
    signer: Signer = request.app.state.signer
    return signer


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _person(request: Request) -> Principal:
    """The route opens no transaction of its own: the password is hashed outside of any."""
    await authenticate(request)
    principal: Principal | None = request.state.principal
    if principal is None:
        raise NotSignedIn("Sign in first.")
    if principal.kind == "integration":
        raise NotAllowed("Systems have keys and no password.")
    return principal


ServiceSettings = Annotated[Settings, Depends(_settings)]
TokenSigner = Annotated[Signer, Depends(_signer)]
ServiceDatabase = Annotated[Database, Depends(_database)]
Person = Annotated[Principal, Depends(_person)]


def device_of(request: Request) -> str:
    return request.cookies.get(DEVICE_COOKIE, "")


@keys.get("/.well-known/jwks.json")
async def get_keys(signer: TokenSigner) -> dict[str, Any]:
    return signer.jwks


@keys.post("/auth/sign-in", responses=GUESSED)
async def sign_in_by_password(
    body: SignInIn,
    request: Request,
    response: Response,
    database: ServiceDatabase,
    signer: TokenSigner,
    settings: ServiceSettings,
) -> TokenOut:
    """A token for an hour, also kept in a cookie. Ten failures within five minutes make one wait."""
    signed_in = await operations.sign_in(
        database, signer, name=body.user, password=body.password, device=device_of(request), now=utc_now()
    )
    return _kept(response, signed_in, settings)


@keys.post("/auth/password", responses=GUESSED)
async def change_my_password(
    body: OwnPasswordIn,
    request: Request,
    response: Response,
    person: Person,
    database: ServiceDatabase,
    signer: TokenSigner,
    settings: ServiceSettings,
) -> TokenOut:
    """Whoever else is signed in as you no longer is. Asks for the present password, and counts failures."""
    signed_in = await operations.change_own_password(
        database,
        signer,
        user_id=person.user_id,
        present=body.present_password,
        new=body.new_password,
        device=device_of(request),
        now=utc_now,
    )
    return _kept(response, signed_in, settings)


@sign_in.post("/sign-out", status_code=204)
async def sign_out(
    response: Response, session: Session, principal: SomeoneSignedIn, settings: ServiceSettings, now: Now
) -> None:
    """The token opens nothing any more, and the cookie is forgotten."""
    await operations.sign_out(session, principal, now=now)
    forget_session(response, settings)


@sign_in.get("/me")
async def who_am_i(session: Session, principal: SomeoneSignedIn) -> PrincipalOut:
    user = await queries.find_user(session, principal.user_id) if principal.kind != "integration" else None
    return PrincipalOut(
        user_id=principal.user_id,
        kind=principal.kind,
        roles=sorted(principal.roles),
        client_id=principal.client_id,
        name=user.name if user else None,
        locale=user.locale if user else None,
    )


def _kept(response: Response, signed_in: SignedIn, settings: Settings) -> TokenOut:
    keep_in_cookies(response, signed_in.token, signed_in.device, settings)
    user, token = signed_in.user, signed_in.token
    shown = SignedInUserOut(
        user_id=user.user_id,
        name=user.name,
        kind=user.principal.kind,
        locale=user.locale,
        roles=user.roles,
        client_id=user.client_id,
        client_code=user.client_code,
    )
    return TokenOut(token=token.text, expires_in=token.expires_in_seconds, csrf=csrf_of(token.text), user=shown)
