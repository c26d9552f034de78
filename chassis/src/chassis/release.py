"""Lets a parked key go again: what is parked of it is applied in order, all or nothing, with or without some of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import parking
from chassis.applying import Applying, BeyondHorizon
from chassis.consumers import Consumers
from chassis.delivery import Delivery
from chassis.errors import Conflict, FieldError, NotFound, NotYetKnown, field_errors, is_transient


class NoSuchConsumer(NotFound):
    """Nothing in this service applies what is parked under that name: it may have been renamed or removed."""


class StillNotApplicable(Conflict):
    """A message of the key cannot be applied now either."""


class NothingToDiscard(NotFound):
    """A message that was named is not among what is parked of the key."""


@dataclass(frozen=True)
class Discarded:
    """What became of a key some of whose messages were discarded."""

    discarded: int
    applied: int


class Release:
    """For the parked keys of one service. Needs no bus: a process without a worker can release too."""

    def __init__(self, consumers: Sequence[Consumers], applying: Applying) -> None:
        self._consumers = {consumer.name: consumer for consumer in consumers}
        self._applying = applying

    async def release(self, session: AsyncSession, consumer_name: str, key: str) -> int:
        """Apply what is parked of `key` and return how many messages that were.

        Raises `KeyNotParked`, and what a handler raises: the transaction must end then.
        """
        consumer = self._consumer(consumer_name)
        deliveries = await parking.take(session, consumer_name, key)
        await self._applying.lock_roots(session, deliveries)
        for delivery in deliveries:
            await self._applying.apply(session, consumer, delivery)
        return len(deliveries)

    async def retry(self, session: AsyncSession, consumer_name: str, key: str, *, however_old: bool) -> int:
        """As `release`, for somebody who asked. Raises `NoSuchConsumer`, `KeyNotParked`, `StillNotApplicable`."""
        consumer = self._consumer(consumer_name)
        deliveries = await parking.take(session, consumer_name, key)
        await self._apply(session, consumer, deliveries, however_old=however_old)
        return len(deliveries)

    async def discard(
        self, session: AsyncSession, consumer_name: str, key: str, event_ids: Collection[UUID], *, by: str, reason: str
    ) -> Discarded:
        """Keep some messages of `key` among the discarded, the first if none is named, and apply the others.

        Raises `NoSuchConsumer`, `KeyNotParked`, `NothingToDiscard`, and `StillNotApplicable` for one of the others.
        """
        consumer = self._consumer(consumer_name)
        parked = await parking.locked(session, consumer_name, key)
        deliveries = await parking.take(session, consumer_name, key)
        unwanted = set(event_ids) or {delivery.id for delivery in deliveries[:1]}
        if strangers := unwanted - {delivery.id for delivery in deliveries}:
            raise NothingToDiscard(f"{', '.join(map(str, strangers))} is not parked under {key}: see its messages.")
        discarded = [delivery for delivery in deliveries if delivery.id in unwanted]
        parking.keep_discarded(session, parked, discarded, by=by, reason=reason)
        rest = [delivery for delivery in deliveries if delivery.id not in unwanted]
        await self._apply(session, consumer, rest, however_old=False)
        return Discarded(len(discarded), len(rest))

    async def discard_all(
        self, session: AsyncSession, consumer_name: str, key: str, *, by: str, reason: str
    ) -> Discarded:
        """Also of a consumer that is no more. Raises `KeyNotParked`."""
        parked = await parking.locked(session, consumer_name, key)
        deliveries = await parking.take(session, consumer_name, key)
        parking.keep_discarded(session, parked, deliveries, by=by, reason=reason)
        return Discarded(len(deliveries), 0)

    def _consumer(self, name: str) -> Consumers:
        if name not in self._consumers:
            raise NoSuchConsumer(f"There is no consumer {name} here. It has {', '.join(sorted(self._consumers))}.")
        return self._consumers[name]

    async def _apply(
        self, session: AsyncSession, consumer: Consumers, deliveries: Sequence[Delivery], *, however_old: bool
    ) -> None:
        """Raises `StillNotApplicable`, and what is nobody's fault as it is."""
        await self._applying.lock_roots(session, deliveries)
        for number, delivery in enumerate(deliveries, start=1):
            try:
                await self._applying.apply(session, consumer, delivery, however_old=however_old)
                await session.flush()  # what only the database refuses is blamed on the right message too
            except Exception as reason:
                if is_transient(reason) and not isinstance(reason, NotYetKnown):
                    raise
                raise _refusal(consumer, delivery, f"{number} of {len(deliveries)}", reason) from reason


def _refusal(consumer: Consumers, delivery: Delivery, place: str, reason: Exception) -> StillNotApplicable:
    errors: Sequence[FieldError] = ()
    said = f"{reason!r}."
    if isinstance(reason, BeyondHorizon):
        said = str(reason)
    elif isinstance(reason, ValidationError):
        said, errors = f"its body is no {reason.title}, see the errors.", field_errors(reason)
    what = f"{consumer.name} cannot apply message {place}, {delivery.type} {delivery.id}"
    return StillNotApplicable(f"{what}: {said} Nothing has changed.", errors=errors)
