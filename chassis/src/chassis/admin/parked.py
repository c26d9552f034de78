"""Parked messages: seen, retried, discarded. Keys may hold any character, so none is in a path."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import parking
from chassis.http import Operator, PageCut, Session, router
from chassis.paging import Page
from chassis.parking import DiscardedMessage, ParkedMessage
from chassis.principal import Principal
from chassis.release import Discarded, Release

BODY_SHOWN_CHARACTERS = 20_000
"""Of a message in a list; asked for alone, it is shown whole."""
EVENTS_NAMED_MAX = 100

parked = router(prefix="/admin", tags=["admin"])


async def _release(request: Request) -> Release:
    release: Release = request.app.state.release
    return release


Releasing = Annotated[Release, Depends(_release)]
Key = Annotated[str, Query(max_length=4000)]
Line = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ParkedKeyOut(BaseModel):
    consumer: str
    key: str
    reason: str
    parked_at: dt.datetime
    waits: bool
    """It is tried again by itself until a fact that it needs is heard of."""
    messages: int


class MessageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    event_id: UUID
    type: str
    source: str
    time: str
    topic: str
    headers: dict[str, str]
    body: str
    body_characters: int
    """More than `body` has when it is cut."""


class DiscardedOut(MessageOut):
    consumer: str
    key: str
    parked_at: dt.datetime
    parked_because: str
    discarded_at: dt.datetime
    discarded_by: str
    reason: str


class RetryIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(max_length=4000)]
    however_old: bool = False
    """Apply even what is older than the inbox remembers: somebody has seen that it was not applied before."""


class RetriedOut(BaseModel):
    applied: int


class DiscardIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(max_length=4000)]
    reason: Line
    event_ids: Annotated[list[UUID], Field(max_length=EVENTS_NAMED_MAX)] = []
    """Which messages; none named: the first, which is to blame."""
    all: bool = False
    """Everything that is parked of the key."""


class DiscardedCountsOut(BaseModel):
    discarded: int
    applied: int


@parked.get("/parked", response_model=Page[ParkedKeyOut])
async def list_parked(
    session: Session, principal: Operator, cut: PageCut, consumer: str | None = None, key: Key | None = None
) -> Any:
    """The keys whose messages wait, because one of them could not be applied."""
    rows = await parking.list_keys(session, cut, consumer=consumer, key=key)
    shown = [
        ParkedKeyOut(
            consumer=row.consumer,
            key=row.key,
            reason=row.reason,
            parked_at=row.parked_at,
            waits=row.waits,
            messages=messages,
        )
        for row, messages in rows
    ]
    return cut.page(shown, lambda each: [each.consumer, each.key])


@parked.get("/parked/{consumer}/messages", response_model=Page[MessageOut])
async def list_parked_messages(
    consumer: str, key: Key, session: Session, principal: Operator, cut: PageCut
) -> dict[str, Any]:
    """What is parked of one key, in the order in which it will be applied. Long bodies are cut."""
    page = cut.page(
        await parking.list_messages(session, cut, consumer=consumer, key=key), lambda message: [message.position]
    )
    return page | {"items": [_shown(message, BODY_SHOWN_CHARACTERS) for message in page["items"]]}


@parked.get("/parked/{consumer}/messages/{event_id}")
async def get_parked_message(
    consumer: str, event_id: UUID, key: Key, session: Session, principal: Operator
) -> MessageOut:
    """One message, whole."""
    return MessageOut.model_validate(_shown(await parking.get_message(session, consumer, key, event_id), None))


@parked.post("/parked/{consumer}/retry")
async def retry_parked(
    consumer: str, body: RetryIn, session: Session, principal: Operator, releasing: Releasing
) -> RetriedOut:
    """Apply everything that is parked of the key, in order; when one cannot be applied, nothing changes."""
    return RetriedOut(applied=await releasing.retry(session, consumer, body.key, however_old=body.however_old))


@parked.post("/parked/{consumer}/discard")
async def discard_parked(
    consumer: str, body: DiscardIn, session: Session, principal: Operator, releasing: Releasing
) -> DiscardedCountsOut:
    """Give messages up for good and apply the others; when one of those cannot be applied, nothing changes.

    What is discarded is kept, with who did it and why: `GET /admin/discarded`.
    """
    done = await _discard(consumer, body, session, principal, releasing)
    return DiscardedCountsOut(discarded=done.discarded, applied=done.applied)


async def _discard(
    consumer: str, body: DiscardIn, session: AsyncSession, principal: Principal, releasing: Release
) -> Discarded:
    if body.all:
        return await releasing.discard_all(session, consumer, body.key, by=principal.actor, reason=body.reason)
    return await releasing.discard(session, consumer, body.key, body.event_ids, by=principal.actor, reason=body.reason)


@parked.get("/discarded", response_model=Page[DiscardedOut])
async def list_discarded(
    session: Session, principal: Operator, cut: PageCut, consumer: str | None = None
) -> dict[str, Any]:
    """What somebody decided never to apply, the newest first."""
    page = cut.page(await parking.list_discarded(session, cut, consumer=consumer), lambda message: [message.position])
    return page | {"items": [_discarded(message) for message in page["items"]]}


def _shown(message: ParkedMessage | DiscardedMessage, characters: int | None) -> dict[str, Any]:
    return {
        "event_id": message.event_id,
        "type": message.headers["ce_type"],
        "source": message.headers["ce_source"],
        "time": message.headers["ce_time"],
        "topic": message.topic,
        "headers": message.headers,
        "body": message.body[:characters],
        "body_characters": len(message.body),
    }


def _discarded(message: DiscardedMessage) -> dict[str, Any]:
    kept = ("consumer", "key", "parked_at", "parked_because", "discarded_at", "discarded_by", "reason")
    return _shown(message, BODY_SHOWN_CHARACTERS) | {name: getattr(message, name) for name in kept}
