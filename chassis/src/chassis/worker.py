"""The bus side of a service: it hears the facts of others, relays its own, and fires its timers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from faststream.kafka import KafkaBroker

from chassis.consumers import Consumers
from chassis.database import Database
from chassis.errors import is_transient
from chassis.failpoints import Failpoints
from chassis.housekeeping import Watch, keep_house
from chassis.inbox import Inbox
from chassis.relay import Relay
from chassis.rereading import ReadAgain
from chassis.roots import Root
from chassis.settings import ServiceSettings
from chassis.subscriber import security_of, subscribe, until_deaf
from chassis.timekeeper import Timekeeper

log = structlog.get_logger(__name__)

CONNECTIONS_MAX = 4
METADATA_AGE_MAX_MS = 10_000
"""Partitions that were added are read after so long."""
RETRY_SECONDS = 1.0
CANCEL_AGAIN_SECONDS = 20.0
"""Longer than the consumers may take to finish their batch."""
Duty = Callable[["Worker"], Awaitable[None]]
"""What a service's worker does beside the bus, for ever: sending what waits to be sent."""


class Worker:
    """Consumes, relays and keeps time. The API may run beside it on the same `database`, and then wakes the relay."""

    def __init__(
        self,
        settings: ServiceSettings,
        database: Database,
        *,
        service: str,
        consumers: Sequence[Consumers],
        root: type[Root] | None,
        duties: Sequence[Duty] = (),
        watched: Sequence[Watch] = (),
    ) -> None:
        self.service = service
        self.settings = settings
        self.database = database.with_pool_of_its_own(CONNECTIONS_MAX)
        self.inbox = Inbox(
            self.database,
            consumers,
            service=service,
            root=root,
            topic_prefix=settings.topic_prefix,
            failpoints=Failpoints(settings.failpoints, service=service),
        )
        self.relay = Relay(self.database, service=service, settings=settings)
        self.timekeeper = Timekeeper(self.database, consumers, service=service, root=root)
        self.is_paused = False
        self._duties = duties
        self._watched = watched
        self._broker: KafkaBroker | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Worker"]:
        """Work until the block is left, then finish what is in flight."""
        self.resume()
        try:
            yield self
        finally:
            await self.pause()
            await self.database.close()

    async def pause(self) -> None:
        """Finish the batch at hand, commit its offsets, and stop: nothing is consumed, relayed or fired."""
        await end(self._tasks, again_seconds=CANCEL_AGAIN_SECONDS)
        self._tasks = []
        self.is_paused = True

    def resume(self) -> None:
        """Go on after `pause`. Connects in the background, and again and again while the broker is away."""
        if self._tasks:
            return
        self.is_paused = False
        house = keep_house(self.database, self.service, self.settings, self._watched)
        running = [self._consume(), self.relay.run(), self.timekeeper.run(), house, self._try_again()]
        self._tasks = [asyncio.create_task(each) for each in running]
        self._tasks += [asyncio.create_task(self._do(duty)) for duty in self._duties]

    @property
    def trouble(self) -> str | None:
        """Why the bus side does not get on, or None."""
        if self.is_paused:
            return "paused"
        if not self.inbox.topics:
            return self.relay.trouble
        if self._broker is None:
            return "The consumers are not connected yet."
        assigned = any(consumer.assignment() for consumer in self._consumers())
        return self.inbox.trouble or self.relay.trouble or (None if assigned else "No partition is assigned yet.")

    async def lag(self) -> dict[str, int]:
        """By topic, how many records the broker has told of that are not read yet."""
        behind = dict.fromkeys(self.inbox.topics if self._consumers() else (), 0)
        for consumer in self._consumers():
            for partition in consumer.assignment():
                told = consumer.highwater(partition)
                unread = told - await consumer.position(partition) if told else 0
                behind[partition.topic] = behind.get(partition.topic, 0) + max(unread, 0)
        return behind

    def partitions(self) -> dict[tuple[str, str], int]:
        """By topic and state, how many: `known` at all, `assigned` here, and `leaderless`, which nobody can use."""
        counts: dict[tuple[str, str], int] = {}
        for consumer in self._consumers():
            cluster = consumer._client.cluster  # aiokafka tells nobody else which partitions have a leader
            for topic in self.inbox.topics:
                known = cluster.partitions_for_topic(topic) or set()
                counts[topic, "known"] = len(known)
                counts[topic, "leaderless"] = len(known - (cluster.available_partitions_for_topic(topic) or set()))
                counts[topic, "assigned"] = sum(each.topic == topic for each in consumer.assignment())
        return counts

    def _consumers(self) -> list[AIOKafkaConsumer]:
        """Of aiokafka, while connected: it alone knows what is assigned and how far the broker is."""
        subscribers: Iterable[Any] = self._broker.subscribers if self._broker else ()
        return [each.consumer for each in subscribers if each.consumer]

    async def _consume(self) -> None:
        if not self.inbox.topics:
            return
        while True:
            broker = self._connect()
            try:
                await broker.start()
                self._broker = broker
                await until_deaf(broker)
                log.error("consumers_deaf")
            except Exception as reason:
                log.warning("consumers_not_started", reason=repr(reason))
            finally:
                self._broker = None
                await _stop(broker)
            await asyncio.sleep(RETRY_SECONDS)

    async def _try_again(self) -> None:
        while self.inbox.topics:
            await asyncio.sleep(RETRY_SECONDS)
            try:
                await self.inbox.try_again()
            except Exception as reason:
                log.warning("waiting_keys_wait", reason=repr(reason))

    def _connect(self) -> KafkaBroker:
        broker = KafkaBroker(
            self.settings.kafka_bootstrap_servers,
            security=security_of(self.settings),
            acks="all",
            allow_auto_create_topics=False,
            metadata_max_age_ms=METADATA_AGE_MAX_MS,
            apply_types=False,
            logger=None,
            graceful_timeout=15.0,
        )
        subscribe(
            broker,
            topics=self.inbox.topics,
            group=self.settings.topic_prefix + self.service,
            handler=self.inbox.consume,
            listener=self._read_again(broker),
            fetch_max_wait_ms=self.settings.fetch_max_wait_ms,
            session_timeout_ms=self.settings.session_timeout_ms,
        )
        return broker

    def _read_again(self, broker: KafkaBroker) -> ReadAgain:
        def consumer() -> AIOKafkaConsumer:
            subscribers: Iterable[Any] = broker.subscribers
            (only,) = subscribers
            return only.consumer

        return ReadAgain(self.database, consumer, topics=self.inbox.facts, topic_prefix=self.settings.topic_prefix)

    async def _do(self, duty: Duty) -> None:
        while True:
            try:
                await duty(self)
            except Exception as reason:
                log.warning(
                    "duty_failed", duty=getattr(duty, "__name__", ""), reason=repr(reason), away=is_transient(reason)
                )
                await asyncio.sleep(RETRY_SECONDS)


async def _stop(broker: KafkaBroker) -> None:
    """However it goes: whoever was not started whole, or has broken, may break once more."""
    try:
        await broker.stop()
    except Exception as reason:
        log.warning("consumers_not_stopped", reason=repr(reason))


async def end(tasks: Sequence[asyncio.Task[None]], *, again_seconds: float) -> None:
    """Cancel `tasks` and wait for their end; once more after a while, since a library may swallow a cancellation."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=again_seconds)
