"""How one fact is applied by one consumer, whoever brings it: the bus, a release, or the archive."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import ids, outbox, received, roots, telemetry
from chassis.clock import utc_now
from chassis.consumers import Consumers
from chassis.delivery import Delivery
from contracts import topics
from contracts.catalogue import EVENTS

HORIZON = timedelta(days=received.KEPT_DAYS)


class BeyondHorizon(Exception):
    """The fact is older than the memory of the inbox: nobody knows whether it was applied before."""


class Applying:
    """What is the same for all facts of a service. `root` is its root table, if it has one."""

    def __init__(self, *, service: str, root: type[roots.Root] | None) -> None:
        self.service = service
        self._root = root

    async def lock_roots(self, session: AsyncSession, deliveries: Iterable[Delivery]) -> None:
        """Those of all orders that `deliveries` are about, in one statement."""
        if self._root is not None:
            order_ids = [delivery.order_id for delivery in deliveries if delivery.topic == topics.ORDERS]
            await roots.lock_all(session, self._root, order_ids)

    async def apply(
        self, session: AsyncSession, consumer: Consumers, delivery: Delivery, *, however_old: bool = False
    ) -> None:
        """Apply it in this transaction. Raises `BeyondHorizon` unless `however_old`, and what the handler raises."""
        if not however_old:
            await _check_age(session, delivery)
        cause = outbox.Cause(id=str(delivery.id), actor=f"system:{self.service}", at=delivery.told_at)
        outbox.set_cause(session, cause)
        name = f"{consumer.name} {delivery.type}"
        span = telemetry.span_of_fact(name, delivery.headers, key=delivery.key, id=str(delivery.id))
        with span, ids.following(delivery.id, consumer.name):
            await consumer.handle(delivery, session)
        telemetry.APPLIED.labels(self.service, consumer.name, _type_of(delivery)).inc()
        if delivery.told_at is not None:
            age_seconds = (utc_now() - delivery.told_at).total_seconds()
            telemetry.FACT_AGE.labels(self.service, consumer.name).observe(max(age_seconds, 0.0))


def _type_of(delivery: Delivery) -> str:
    """For metrics, which must not have as many series as strangers have names for types."""
    return delivery.type if delivery.type in EVENTS else "unknown"


async def _check_age(session: AsyncSession, delivery: Delivery) -> None:
    is_state = delivery.topic == topics.DIRECTORY  # the whole state each time: its age does not matter
    if is_state or delivery.told_at is None or utc_now() - delivery.told_at <= HORIZON:
        return
    if await session.scalar(select(func.clock_timestamp() - HORIZON <= delivery.told_at)):
        return  # our own clock is wrong: it is the database's that facts are timed by and the inbox is cleaned by
    raise BeyondHorizon(
        f"{delivery.type} was told at {delivery.time}, longer ago than the inbox remembers. See whether it was "
        "applied: if it was, discard it, else retry it however old it is."
    )
