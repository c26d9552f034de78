"""The same unsafe request under the same `Idempotency-Key` gets the first answer again (rule 34)."""

import hashlib
import hmac
from datetime import datetime

from fastapi import Request, Response
from sqlalchemy import Text, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import ChassisModel
from chassis.errors import Invalid
from chassis.settings import ServiceSettings

KEY_CHARACTERS_MAX = 200
HEADERS_KEPT = ("content-type", "orderloom-event", "etag", "location")


class KeyUsedForAnotherRequest(Invalid):
    """The key was sent with another method, path or body before."""


class KeyTooLong(Invalid): ...


class KeyUnreadable(Invalid): ...


class IdempotencyKey(ChassisModel):
    """The answer to a request that succeeded. A refusal changed nothing and is not kept."""

    __tablename__ = "idempotency_keys"

    actor: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[str]
    """An HMAC with a key that is in no database: some bodies hold passwords, which could be guessed from a hash."""
    status: Mapped[int]
    headers: Mapped[dict[str, str]]
    body: Mapped[str] = mapped_column(Text)
    kept_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)


def key_of(request: Request) -> str | None:
    """Raises `KeyTooLong`, `KeyUnreadable`."""
    key = request.headers.get("idempotency-key")
    if key and len(key) > KEY_CHARACTERS_MAX:
        raise KeyTooLong(f"Make the Idempotency-Key at most {KEY_CHARACTERS_MAX} characters long.")
    if key and not key.isprintable():
        raise KeyUnreadable("Make the Idempotency-Key of printable characters, like a UUID.")
    return key


async def keep(session: AsyncSession, request: Request, response: Response, *, actor: str, key: str) -> None:
    """Keep the answer in the transaction that it is about; a second one under the key fails when it is flushed."""
    session.add(
        IdempotencyKey(
            actor=actor,
            key=key,
            request_sha256=await _hmac(request),
            status=response.status_code,
            headers={name: response.headers[name] for name in HEADERS_KEPT if name in response.headers},
            body=bytes(response.body).decode(),
        )
    )


async def first_answer(session: AsyncSession, request: Request, *, actor: str, key: str) -> Response | None:
    """The answer kept under the key, or None. Raises `KeyUsedForAnotherRequest`."""
    kept = await session.get(IdempotencyKey, (actor, key))
    if kept is None:
        return None
    if not hmac.compare_digest(kept.request_sha256, await _hmac(request)):
        raise KeyUsedForAnotherRequest(f"Idempotency-Key {key} came with another request before: use a new one.")
    return Response(kept.body, status_code=kept.status, headers=kept.headers | {"idempotency-replayed": "true"})


async def _hmac(request: Request) -> str:
    settings: ServiceSettings = request.app.state.settings
    parts = [request.method.encode(), request.url.path.encode(), request.url.query.encode(), await request.body()]
    return hmac.new(settings.idempotency_key, b"\n".join(parts), hashlib.sha256).hexdigest()
