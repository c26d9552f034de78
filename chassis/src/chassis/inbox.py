"""Facts enter here: each is applied once per consumer, with its effect in one transaction, and none is ever lost."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import structlog
from aiokafka import ConsumerRecord
from faststream.kafka import KafkaMessage
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox, parking, received, telemetry
from chassis.applying import Applying, BeyondHorizon
from chassis.consumers import Consumers
from chassis.database import Database
from chassis.delivery import DeadLetter, Delivery, Letter, read
from chassis.errors import NotYetKnown, Refusal, Undeliverable, is_transient
from chassis.failpoints import BEFORE_ACKNOWLEDGE, Failpoints
from chassis.release import Release
from chassis.roots import Root
from chassis.subscriber import Pace, gather

log = structlog.get_logger(__name__)

BACKOFF_SECONDS = (0.1, 1.0)
"""Before the second and the third attempt: a message is parked, or applied, within five seconds."""
PAUSE_SECONDS = 0.5
"""Before a batch is tried again when the database or the network is away."""
ACKNOWLEDGE_SECONDS = 0.2
"""At least so long between two commits of offsets. A crash reads this much again, and the inbox drops it."""


@dataclass
class Batch:
    """What came in one poll, sorted by what can be done with it."""

    deliveries: list[Delivery] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    read: received.Read = field(default_factory=received.Read)


class Inbox:
    """The consumers of one service, on one subscription.

    `root` is the service's root table: the roots of all orders in a batch are locked before the first handler runs,
    so that a handler's own `roots.lock` costs nothing.
    """

    def __init__(
        self,
        database: Database,
        consumers: Sequence[Consumers],
        *,
        service: str,
        root: type[Root] | None,
        topic_prefix: str = "",
        failpoints: Failpoints | None = None,
    ) -> None:
        self.service = service
        self.consumers = consumers
        self._topic_prefix = topic_prefix
        self.trouble: str | None = None
        """Why the batch at hand waits, or None."""
        self._database = database
        self._applying = Applying(service=service, root=root)
        self._release = Release(consumers, self._applying)
        self._failpoints = failpoints or Failpoints(None, service=service)
        self._tell_zeroes()
        self._acknowledged_at = 0.0
        self._pace = Pace()
        self._unwritten = received.Read()
        """Of batches in which there was nothing to do: written with the next effect, or a moment later."""
        self._writing = asyncio.Lock()
        self._later: asyncio.Task[None] | None = None

    def _tell_zeroes(self) -> None:
        """A counter that is not there before its first count hides that count from whoever asks for an increase."""
        for consumer in self.consumers:
            telemetry.PARKED.labels(self.service, consumer.name)
        for topic in self.topics:
            telemetry.DEAD_LETTERS.labels(self.service, topic)

    @property
    def topics(self) -> list[str]:
        """With the deployment's prefix."""
        return sorted(self._topic_prefix + topic for topic in set().union(*(each.topics for each in self.consumers)))

    @property
    def facts(self) -> set[str]:
        """Those topics, without the prefix, of which the database knows how far they are read."""
        requests = {each.requests.topic for each in self.consumers if each.requests}
        return set().union(*(each.topics for each in self.consumers)) - requests

    async def consume(self, message: KafkaMessage) -> None:
        """Bring a batch to its end, however long it takes, and only then commit its offsets. Never raises."""
        records = await gather(message, self._pace)
        while True:
            try:
                await self.apply_all(records)
                self.trouble = None
                telemetry.LAST_BATCH.labels(self.service).set_to_current_time()
                self._failpoints.reach(BEFORE_ACKNOWLEDGE)
                return await self._acknowledge(message)
            except Exception as reason:
                # Away or overloaded: nobody's fault. A bug of ours in here must not lose the batch either.
                self.trouble = repr(reason)
                log.warning("batch_waits", reason=self.trouble)
                await asyncio.sleep(PAUSE_SECONDS)

    async def apply_all(self, records: Sequence[ConsumerRecord]) -> None:
        """Bring every record to its end: applied, dropped as a duplicate, answered, parked, or a dead letter."""
        batch = self._sort(records)
        async with self._writing:
            self._unwritten.add(batch.read)
            if batch.deliveries or batch.dead_letters:
                await self._apply_batch(batch)
            received.remember(self._database, batch.read.unhandled)  # not before what stands before them is applied
        for letter in batch.letters:
            await self._answer(letter)

    async def _apply_batch(self, batch: Batch) -> None:
        read = self._unwritten
        try:
            await self._apply(self.consumers, batch.deliveries, batch.dead_letters, read)  # nearly always
        except Exception as reason:
            if is_transient(reason) and not isinstance(reason, NotYetKnown):
                raise
            log.warning("batch_refused", size=len(batch.deliveries), reason=repr(reason))
            await self._apply_key_by_key(batch, read)
        self._unwritten = received.Read()

    async def release(self, consumer_name: str, key: str) -> int:
        """Apply what is parked of `key`, in order and all or nothing, and let the key flow again; return how many.

        Raises `KeyNotParked`, and what a handler raises; then nothing has changed.
        """
        async with self._database.transaction() as session:
            return await self._release.release(session, consumer_name, key)

    async def try_again(self) -> None:
        """Apply what waited for something that has been heard of meanwhile, key by key."""
        async with self._database.transaction() as session:
            waiting = await parking.keys_that_wait(session)
        for consumer_name, key in waiting:
            try:
                await self.release(consumer_name, key)
            except (NotYetKnown, parking.KeyNotParked):
                continue  # still not, or another worker was faster
            except Exception as reason:
                if is_transient(reason):
                    raise
                log.error("key_parked", consumer=consumer_name, key=key, reason=repr(reason))
                telemetry.PARKED.labels(self.service, consumer_name).inc()
                async with self._database.transaction() as session:
                    await parking.give_up_waiting(session, consumer_name, key, reason)

    def _sort(self, records: Iterable[ConsumerRecord]) -> Batch:
        """Part what concerns this service from the rest by the headers alone, and the readable from the unreadable."""
        batch = Batch()
        for record in records:
            topic = record.topic.removeprefix(self._topic_prefix)
            if any(each.requests and each.requests.topic == topic for each in self.consumers):
                batch.letters.append(Letter.of(record, topic=topic))
                continue
            try:
                delivery = read(record, topic=topic)
            except Undeliverable as reason:
                if self._is_concerned(record, topic):
                    batch.dead_letters.append(DeadLetter.of_record(record, reason))
                batch.read.note(topic, record.partition, record.offset, told_at=None)
                continue
            batch.read.note(topic, record.partition, record.offset, told_at=delivery.told_at)
            if any(each.wants(delivery) for each in self.consumers):
                batch.deliveries.append(delivery)
            else:
                batch.read.unhandled.add(delivery.id)
        return batch

    def _is_concerned(self, record: ConsumerRecord, topic: str) -> bool:
        """Of what cannot be read, only the service that would have handled it keeps a dead letter."""
        event_type = dict(record.headers).get("ce_type", b"").decode()
        return any(topic in each.every or event_type in each.handlers for each in self.consumers)

    async def _apply(
        self,
        consumers: Sequence[Consumers],
        deliveries: Sequence[Delivery],
        dead_letters: Sequence[DeadLetter] = (),
        read: received.Read | None = None,
    ) -> None:
        """One transaction: what is new in `deliveries` with its effects, in order, consumer after consumer."""
        if not deliveries and not dead_letters and not read:
            return
        async with self._database.transaction() as session:
            wanted = {each.name: [d for d in deliveries if each.wants(d)] for each in consumers}
            fresh = await received.enter(session, wanted, read or received.Read())
            parked = await parking.keys_among(session, {n: {d.key for d in each} for n, each in fresh.items()})
            await self._applying.lock_roots(session, [d for each in fresh.values() for d in each])
            for consumer in consumers:
                for delivery in fresh[consumer.name]:
                    if (consumer.name, delivery.key) in parked:
                        parking.park(session, consumer.name, delivery)
                    else:
                        await self._applying.apply(session, consumer, delivery)
            for dead_letter in dead_letters:
                self._bury(session, dead_letter)

    async def _apply_key_by_key(self, batch: Batch, read: received.Read) -> None:
        """No key waits for another."""
        for consumer in self.consumers:
            for group in _by_key(filter(consumer.wants, batch.deliveries)):
                await self._apply_one_by_one(consumer, group)
        await self._apply(self.consumers, [], batch.dead_letters, read)

    async def _apply_one_by_one(self, consumer: Consumers, group: list[Delivery]) -> None:
        """The messages of one key, each in its own transaction; the first that cannot be applied parks the rest."""
        for position, delivery in enumerate(group):
            try:
                await self._apply_patiently(consumer, delivery)
            except Undeliverable as reason:
                await self._give_up(consumer, delivery, reason)
            except Exception as reason:
                if is_transient(reason) and not isinstance(reason, NotYetKnown):
                    raise
                if await self._put_aside(consumer, group[position:], reason):
                    return

    async def _apply_patiently(self, consumer: Consumers, delivery: Delivery) -> None:
        """Try again what may go away by itself. A refusal or a body that breaks the schema will not."""
        for backoff_seconds in BACKOFF_SECONDS:
            try:
                return await self._apply([consumer], [delivery])
            except (Refusal, ValidationError, Undeliverable, BeyondHorizon):
                raise
            except Exception as reason:
                if is_transient(reason):
                    raise
                await asyncio.sleep(backoff_seconds)
        await self._apply([consumer], [delivery])

    async def _put_aside(self, consumer: Consumers, group: list[Delivery], reason: Exception) -> bool:
        """Park a key with its messages, until somebody decides or until what the first needs has been heard of.

        False when the first is done with: the partition was another worker's meanwhile, who has brought it to its end.
        """
        waits = isinstance(reason, NotYetKnown)
        async with self._database.transaction() as session:
            fresh = await received.enter(session, {consumer.name: group[:1]}, received.Read())
            if not fresh[consumer.name]:
                return False
            await parking.park_key(session, consumer.name, group[0].key, reason, waits=waits)
            following = await received.enter(session, {consumer.name: group[1:]}, received.Read())
            for delivery in (*fresh[consumer.name], *following[consumer.name]):
                parking.park(session, consumer.name, delivery)
            if not waits:  # the first is to blame, and is also told to the dead letters
                self._bury(session, DeadLetter.of_delivery(group[0], reason))
        where = {"consumer": consumer.name, "key": group[0].key, "type": group[0].type, "reason": repr(reason)}
        if waits:
            log.info("key_waits", **where)
        else:
            log.error("key_parked", **where)
            telemetry.PARKED.labels(self.service, consumer.name).inc()
        return True

    async def _give_up(self, consumer: Consumers, delivery: Delivery, reason: Undeliverable) -> None:
        """Dead letter, and nothing waits for it."""
        async with self._database.transaction() as session:
            fresh = await received.enter(session, {consumer.name: [delivery]}, received.Read())
            if fresh[consumer.name]:
                self._bury(session, DeadLetter.of_delivery(delivery, reason))

    async def _answer(self, letter: Letter) -> None:
        """One transaction a message: what one sender asks for never waits for what another did wrong."""
        (requests,) = (each.requests for each in self.consumers if each.requests)
        reason: Exception = Undeliverable("not tried")
        for backoff_seconds in (*BACKOFF_SECONDS, 0.0):
            try:
                async with self._letter_transaction(letter) as session:
                    return await requests.handle(letter, session)
            except Exception as failure:
                if is_transient(failure):
                    raise
                reason = failure
                if isinstance(failure, Undeliverable):
                    break
                log.warning("request_refused", topic=letter.topic, key=letter.key, reason=repr(failure))
                await asyncio.sleep(backoff_seconds)
        async with self._letter_transaction(letter) as session:
            self._bury(session, DeadLetter.of_letter(letter, reason))
            await requests.give_up(letter, reason, session)

    def _letter_transaction(self, letter: Letter) -> AbstractAsyncContextManager[AsyncSession]:
        cause = outbox.Cause(id=letter.headers.get("ce_id", ""), actor=f"system:{self.service}")
        return self._database.transaction(cause)

    def _bury(self, session: AsyncSession, letter: DeadLetter) -> None:
        telemetry.DEAD_LETTERS.labels(self.service, letter.topic).inc()
        outbox.forward_dead_letter(session, service=self.service, key=letter.key, type=letter.type, body=letter.body)

    async def _acknowledge(self, message: KafkaMessage) -> None:
        """Commit offsets, of this batch and of those before, unless that was done a moment ago.

        Only here, between two batches: a commit covers everything that was fetched, applied or not.
        """
        now = time.monotonic()
        if now - self._acknowledged_at >= ACKNOWLEDGE_SECONDS:
            await self._write()
            self._acknowledged_at = now
            await message.ack()
        elif self._unwritten and (self._later is None or self._later.done()):
            self._later = asyncio.create_task(self._write_later())

    async def _write_later(self) -> None:
        """What was read without effect costs one transaction now and then, not one a batch."""
        await asyncio.sleep(ACKNOWLEDGE_SECONDS)
        try:
            await self._write()
        except Exception as reason:
            log.warning("progress_waits", reason=repr(reason))  # until the next batch

    async def _write(self) -> None:
        async with self._writing:
            await self._apply(self.consumers, [], [], self._unwritten)
            self._unwritten = received.Read()


def _by_key(deliveries: Iterable[Delivery]) -> Iterable[list[Delivery]]:
    groups: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        groups.setdefault(delivery.key, []).append(delivery)
    return groups.values()
