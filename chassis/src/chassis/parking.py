"""What one consumer could not apply waits here with everything behind it of the same key; other keys flow on.

Most of it waits for somebody to decide. What needs a fact that has not been heard of yet is tried again by itself.

Locks are taken in one order everywhere, by a batch and by a release: the parked key, then the root. A message that
arrives during a release therefore waits for it, and is neither lost nor overtaken.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Identity, Index, Text, bindparam, delete, false, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import ChassisModel
from chassis.delivery import Delivery
from chassis.errors import NotFound
from chassis.paging import Cut

_PAIRS = select(
    func.unnest(bindparam("consumers", type_=ARRAY(Text))), func.unnest(bindparam("keys", type_=ARRAY(Text)))
)
"""Arrays, so that the statement is the same for a batch of any size and is prepared once."""


TRIED_MAX = 100
"""Keys that wait, tried again in one round."""


class KeyNotParked(NotFound):
    """There is nothing to release."""


class ParkedKey(ChassisModel):
    __tablename__ = "parked_keys"

    consumer: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    waits: Mapped[bool] = mapped_column(server_default=false())
    """It is tried again by itself, again and again: nobody has to do anything here."""
    parked_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ParkedMessage(ChassisModel):
    __tablename__ = "parked_messages"

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    consumer: Mapped[str]
    event_id: Mapped[UUID]
    topic: Mapped[str]
    key: Mapped[str]
    headers: Mapped[dict[str, str]]
    body: Mapped[str] = mapped_column(Text)


class DiscardedMessage(ChassisModel):
    """What somebody decided never to apply. Rows are added and never changed: nothing is lost silently."""

    __tablename__ = "discarded_messages"

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    consumer: Mapped[str]
    event_id: Mapped[UUID]
    topic: Mapped[str]
    key: Mapped[str]
    headers: Mapped[dict[str, str]]
    body: Mapped[str] = mapped_column(Text)
    parked_at: Mapped[datetime]
    parked_because: Mapped[str] = mapped_column(Text)
    """Why its key was parked."""
    discarded_by: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    discarded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    __table_args__ = (Index("discarded_messages_consumer_key_ix", "consumer", "key"),)


async def keys_among(session: AsyncSession, wanted: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Which of the keys of each consumer are parked; locked until the transaction ends, in key order."""
    pairs = [(consumer, key) for consumer, keys in wanted.items() for key in keys]
    if not pairs:
        return set()
    parked = (
        select(ParkedKey.consumer, ParkedKey.key)
        .where(tuple_(ParkedKey.consumer, ParkedKey.key).in_(_PAIRS))
        .order_by(ParkedKey.consumer, ParkedKey.key)
        .with_for_update()
    )
    values = {"consumers": [consumer for consumer, _ in pairs], "keys": [key for _, key in pairs]}
    return {(consumer, key) for consumer, key in await session.execute(parked, values)}


async def park_key(
    session: AsyncSession, consumer: str, key: str, reason: BaseException, *, waits: bool = False
) -> None:
    """From now on, messages of `key` wait: with `waits` for what is not heard of yet, else for somebody."""
    parked = insert(ParkedKey).values(consumer=consumer, key=key, reason=repr(reason), waits=waits)
    await session.execute(parked.on_conflict_do_nothing())


async def keys_that_wait(session: AsyncSession) -> list[tuple[str, str]]:
    """Consumer and key of what may be tried again now, the longest waiting first. Locks nothing."""
    waiting = select(ParkedKey.consumer, ParkedKey.key).where(ParkedKey.waits).order_by(ParkedKey.parked_at)
    return [(consumer, key) for consumer, key in await session.execute(waiting.limit(TRIED_MAX))]


async def give_up_waiting(session: AsyncSession, consumer: str, key: str, reason: BaseException) -> None:
    """What `key` waited for is there, and it cannot be applied all the same: somebody has to decide."""
    parked = (ParkedKey.consumer == consumer, ParkedKey.key == key)
    await session.execute(update(ParkedKey).where(*parked).values(waits=False, reason=repr(reason)))


def park(session: AsyncSession, consumer: str, delivery: Delivery) -> None:
    """Put `delivery` behind what is parked of its key."""
    session.add(
        ParkedMessage(
            consumer=consumer,
            event_id=delivery.id,
            topic=delivery.topic,
            key=delivery.key,
            headers=delivery.headers,
            body=delivery.body,
        )
    )


async def locked(session: AsyncSession, consumer: str, key: str) -> ParkedKey:
    """The parked key, which nobody else releases meanwhile. Raises `KeyNotParked`."""
    parked = await session.get(ParkedKey, (consumer, key), with_for_update=True)
    if parked is None:
        raise KeyNotParked(f"{consumer} has not parked {key}: see the parked keys for what it has.")
    return parked


async def take(session: AsyncSession, consumer: str, key: str) -> list[Delivery]:
    """Remove `key` and return its messages in order. Raises `KeyNotParked`."""
    parked = await locked(session, consumer, key)
    waiting = (ParkedMessage.consumer == consumer, ParkedMessage.key == key)
    messages = (await session.scalars(select(ParkedMessage).where(*waiting).order_by(ParkedMessage.position))).all()
    await session.execute(delete(ParkedMessage).where(*waiting))
    await session.delete(parked)
    return [Delivery(message.topic, message.key, message.headers, message.body) for message in messages]


def keep_discarded(
    session: AsyncSession, parked: ParkedKey, deliveries: Sequence[Delivery], *, by: str, reason: str
) -> None:
    """Write down who threw what away, when and why, with the message itself."""
    session.add_all(
        DiscardedMessage(
            consumer=parked.consumer,
            event_id=delivery.id,
            topic=delivery.topic,
            key=delivery.key,
            headers=delivery.headers,
            body=delivery.body,
            parked_at=parked.parked_at,
            parked_because=parked.reason,
            discarded_by=by,
            reason=reason,
        )
        for delivery in deliveries
    )


async def discarded_ids(session: AsyncSession, consumer: str, key: str) -> set[UUID]:
    """Of what came under `key`, what somebody decided that `consumer` never applies."""
    of_key = (DiscardedMessage.consumer == consumer, DiscardedMessage.key == key)
    return set(await session.scalars(select(DiscardedMessage.event_id).where(*of_key)))


async def list_keys(
    session: AsyncSession, cut: Cut, *, consumer: str | None, key: str | None
) -> Sequence[tuple[ParkedKey, int]]:
    """What is parked and how many messages of each key, by consumer and key."""
    waiting = (ParkedMessage.consumer == ParkedKey.consumer, ParkedMessage.key == ParkedKey.key)
    count = select(func.count()).select_from(ParkedMessage).where(*waiting).scalar_subquery()
    keys = select(ParkedKey, count).order_by(ParkedKey.consumer, ParkedKey.key).limit(cut.limit + 1)
    if after := cut.after_as(str, str):
        keys = keys.where(tuple_(ParkedKey.consumer, ParkedKey.key) > tuple_(*after))
    wanted = {name: value for name, value in {"consumer": consumer, "key": key}.items() if value is not None}
    return [(parked, messages) for parked, messages in await session.execute(keys.filter_by(**wanted))]


async def list_messages(session: AsyncSession, cut: Cut, *, consumer: str, key: str) -> Sequence[ParkedMessage]:
    """Those of one key, the one to blame first. Raises `KeyNotParked`."""
    if await session.get(ParkedKey, (consumer, key)) is None:
        raise KeyNotParked(f"{consumer} has not parked {key}: see the parked keys for what it has.")
    waiting = (ParkedMessage.consumer == consumer, ParkedMessage.key == key)
    messages = select(ParkedMessage).where(*waiting).order_by(ParkedMessage.position).limit(cut.limit + 1)
    if after := cut.after_as(int):
        messages = messages.where(ParkedMessage.position > after[0])
    return (await session.scalars(messages)).all()


async def get_message(session: AsyncSession, consumer: str, key: str, event_id: UUID) -> ParkedMessage:
    """Raises `KeyNotParked`."""
    of_key = (ParkedMessage.consumer == consumer, ParkedMessage.key == key, ParkedMessage.event_id == event_id)
    message = (await session.scalars(select(ParkedMessage).where(*of_key).limit(1))).one_or_none()
    if message is None:
        raise KeyNotParked(f"{consumer} has not parked {event_id} of {key}: see the messages of the key.")
    return message


async def list_discarded(session: AsyncSession, cut: Cut, *, consumer: str | None) -> Sequence[DiscardedMessage]:
    """The newest first."""
    messages = select(DiscardedMessage).order_by(DiscardedMessage.position.desc()).limit(cut.limit + 1)
    if after := cut.after_as(int):
        messages = messages.where(DiscardedMessage.position < after[0])
    if consumer is not None:
        messages = messages.where(DiscardedMessage.consumer == consumer)
    return (await session.scalars(messages)).all()
