"""Facts leave in the transaction that made them true, or not at all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, Text, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from chassis import flush, roots, telemetry
from chassis.clock import utc_now
from chassis.database import RECORDED, ChassisModel
from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from contracts import topics
from contracts.event import DirectoryEvent, Event, OrderEvent
from contracts.integration import Answer


class RootNotLocked(Exception):
    """A fact about an order was recorded before its root was locked: facts could leave in the wrong order."""


class Unstorable(Invalid):
    """A text with a NUL: each reader's database would refuse it, and the order would be parked everywhere."""


NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""As JSON writes it; after a backslash that is itself escaped, the same letters are harmless."""


class BodyTooLarge(Exception):
    """A body above the bus's limit would block the relay for ever."""


class TooManyToTellAgain(Conflict): ...


TOLD_AGAIN_MAX = 50_000
"""In one request: the relay takes some ten seconds for so many."""


@dataclass(frozen=True)
class Cause:
    """Who made the facts of this transaction true, and by what: a request or an event."""

    id: str
    actor: str
    """`user:`, `client:`, `system:` or `integration:`, then an id."""
    at: datetime | None = None
    """When the event was told, where an event is the cause."""


class OutboxMessage(ChassisModel):
    """A fact on its way. `position` is the order in which the relay publishes; `event_id` is what it is called."""

    __tablename__ = "outbox"

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(unique=True)
    topic: Mapped[str]
    key: Mapped[str]
    type: Mapped[str]
    headers: Mapped[dict[str, str]]
    body: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    published_at: Mapped[datetime | None]

    __table_args__ = (Index("outbox_pending_ix", "position", postgresql_where=text("published_at IS NULL")),)


def set_cause(session: AsyncSession, cause: Cause) -> None:
    """Every fact recorded from here on is caused by `cause`. The chassis calls this; services do not."""
    session.info["cause"] = cause


def cause_of(session: AsyncSession) -> Cause:
    """What is being done in this transaction right now, and by whom."""
    cause: Cause = session.info["cause"]
    return cause


def last_recorded(session: AsyncSession) -> UUID | None:
    """The id of the last fact of this transaction: an answer names it, so that its reader can wait for it."""
    return session.info.get("last_recorded")


def record(session: AsyncSession, event: OrderEvent) -> UUID:
    """Tell the world of `event` if and only if this transaction commits; return the fact's id.

    Raises `RootNotLocked` unless the order's root was locked or added in this transaction. Counts the root's version
    up: whoever read it before has overlooked something.
    """
    root = _held_root(session, event.order_id, event.type)
    root.version += 1
    return _enter(session, event, key=str(event.order_id), headers={"ce_subject": root.order_no})


def record_in_directory(session: AsyncSession, event: DirectoryEvent) -> UUID:
    """Tell the whole state of something that is not one order. Its own row must be locked or new."""
    return _enter(session, event, key=event.key, headers={"ce_subject": event.key})


def answer(session: AsyncSession, event: Answer, *, key: str, recipient: str, request_id: str) -> UUID:
    """Answer the request of a system outside, or tell it of the order that came of it, whose root must be locked."""
    if order_id := getattr(event, "order_id", None):
        _held_root(session, order_id, event.type)
    headers = {"ce_recipient": recipient, "ce_causationid": request_id}
    return _enter(session, event, key=key, headers=headers)


def forward_dead_letter(session: AsyncSession, *, service: str, key: str, type: str, body: str) -> None:
    """Send what `service` could not apply to its dead letters. Needs no lock: nothing is ordered there."""
    headers = {"ce_source": service, "ce_actor": f"system:{service}"}
    _add(session, topic=topics.dead_letters(service), key=key, type=type, headers=headers, body=body)


def forward(session: AsyncSession, *, topic: str, key: str, type: str, headers: dict[str, str], body: str) -> None:
    """Send on, to the letter, what is no new fact. It leaves after what was sent on before."""
    _add(session, topic=topic, key=key, type=type, headers=headers, body=body)


async def tell_again(
    session: AsyncSession, *, topic_names: Sequence[str], since: datetime | None, order_id: UUID | None
) -> int:
    """Let the relay publish again what was recorded since then, or about an order; return how many facts.

    They leave in the order of the outbox and before what waits in it, so that no fact of a key overtakes another;
    whoever knows them drops them. Raises `TooManyToTellAgain`.
    """
    told = OutboxMessage.topic.in_(topic_names) & OutboxMessage.published_at.is_not(None)
    if since is not None:
        told &= OutboxMessage.recorded_at >= since
    if order_id is not None:
        told &= OutboxMessage.key == str(order_id)
    some = select(OutboxMessage.position).where(told).limit(TOLD_AGAIN_MAX + 1).subquery()
    if (await session.scalar(select(func.count()).select_from(some)) or 0) > TOLD_AGAIN_MAX:
        raise TooManyToTellAgain(
            f"That is more than {TOLD_AGAIN_MAX} facts, and new ones would wait: say a later time."
        )
    again = await session.execute(update(OutboxMessage).where(told).values(published_at=None))
    session.info[RECORDED] = True  # wakes the relay
    return int(again.rowcount)  # type: ignore[attr-defined]


def _held_root(session: AsyncSession, order_id: UUID, event_type: str) -> roots.Root:
    root = roots.held(session, order_id)
    if root is None:
        raise RootNotLocked(f"Lock the root of order {order_id} before you record {event_type}.")
    return root


def _enter(session: AsyncSession, event: Event, *, key: str, headers: dict[str, str]) -> UUID:
    cause = cause_of(session)
    if cause.at is not None:
        seconds = (utc_now() - cause.at).total_seconds()
        telemetry.EFFECT_SECONDS.labels(event.teller, event.type).observe(max(seconds, 0.0))
    envelope = {"ce_source": event.teller, "ce_causationid": cause.id, "ce_actor": cause.actor}
    body = event.model_dump_json()
    if "\\u0000" in body and NUL.search(body):
        raise Unstorable("Leave out the NUL character: no reader of this fact could keep it.")
    session.info["last_recorded"] = event_id = _add(
        session, topic=event.topic, key=key, type=event.type, headers=envelope | headers, body=body
    )
    return event_id


def _add(session: AsyncSession, *, topic: str, key: str, type: str, headers: dict[str, Any], body: str) -> UUID:
    if len(body.encode()) > topics.BODY_BYTES_MAX:
        raise BodyTooLarge(f"{type} for {key} is over {topics.BODY_BYTES_MAX} bytes: tell less, or refer to a file.")
    event_id = new_id()
    envelope = {
        "ce_specversion": "1.0",
        "ce_id": str(event_id),
        "ce_type": type,
        "content-type": "application/json",
        **telemetry.carrier(),
    }
    row = OutboxMessage.unattached(
        event_id=event_id, topic=topic, key=key, type=type, headers=headers | envelope, body=body
    )
    flush.write(session, [row])
    session.info[RECORDED] = True
    return event_id
