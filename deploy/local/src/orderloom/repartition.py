"""Gives a topic more partitions without one key's facts overtaking each other.

More partitions move keys. So nothing new is told (the relays rest) until every consumer has read all that was told;
then the partitions are added, the consumers take them over, and the relays go on. The APIs serve all the while: what
they record waits in the outboxes.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from chassis.kafka import KafkaSettings
from chassis.relay import LOCK
from contracts.topics import CATALOGUE, SERVICES

REST_SECONDS = 30.0
READ_SECONDS = 600.0
ASSIGNED_SECONDS = 60.0
POLL_SECONDS = 0.2

PROGRESS = 'SELECT partition, "offset" FROM progress WHERE topic = $1'

Tell = Callable[[str], None]


class CannotRepartition(Exception):
    """Nothing was changed; the message says why."""


@dataclass(frozen=True)
class Repartitioning:
    """`databases` holds a postgresql:// URL per service; `topic` is called as in the catalogue."""

    databases: Mapping[str, str]
    kafka: KafkaSettings
    topic: str
    partitions: int
    topic_prefix: str = ""

    async def run(self, tell: Tell) -> None:
        """Return when all is told again. Raise CannotRepartition; the relays go on in any case."""
        self._check()
        async with AsyncExitStack() as opened:
            admin = AIOKafkaAdminClient(**self.kafka.client_options)
            await admin.start()
            opened.push_async_callback(admin.close)
            before = await self._count(admin)
            if self.partitions <= before:
                raise CannotRepartition(f"{self.topic} has {before} partitions: they can only become more.")
            tell("waiting until the relays rest")
            await opened.enter_async_context(self._resting_relays())
            tell("waiting until everything told is read")
            await self._until_all_is_read(before)
            await admin.create_partitions({self._name: NewPartitions(self.partitions)})
            tell("waiting until the consumers have the new partitions")
            if not await self._are_assigned(admin):
                tell(f"not all are assigned after {ASSIGNED_SECONDS:.0f} s: what is on them is read later")
        tell(f"{self.topic} has {self.partitions} partitions instead of {before}")

    @property
    def _name(self) -> str:
        return self.topic_prefix + self.topic

    @property
    def _readers(self) -> Sequence[str]:
        (entry,) = (each for each in CATALOGUE if each.name == self.topic)
        return [reader for reader in entry.readers if reader in self.databases]

    def _check(self) -> None:
        entry = next((each for each in CATALOGUE if each.name == self.topic), None)
        if entry is None or not set(entry.writers) <= set(SERVICES) or not set(entry.readers) <= set(SERVICES):
            names = [each.name for each in CATALOGUE if {*each.writers, *each.readers} <= set(SERVICES)]
            raise CannotRepartition(
                f"{self.topic} is not ours alone, and who else writes or reads it cannot be made to rest: "
                f"choose one of {', '.join(names)}."
            )

    async def _count(self, admin: AIOKafkaAdminClient) -> int:
        (described,) = await admin.describe_topics([self._name])
        if described["error_code"]:
            raise CannotRepartition(f"The broker has no topic {self._name}.")
        return len(described["partitions"])

    @asynccontextmanager
    async def _resting_relays(self) -> AsyncIterator[None]:
        """Hold every relay's lock. A relay at work lets go of it when it is asked for."""
        async with AsyncExitStack() as held:
            for service, url in self.databases.items():
                connection = await asyncpg.connect(url)
                held.push_async_callback(connection.close)
                try:
                    await connection.execute("SELECT pg_advisory_lock($1)", LOCK, timeout=REST_SECONDS)
                except TimeoutError:
                    raise CannotRepartition(f"The relay of {service} does not rest: see its log.") from None
            yield

    async def _until_all_is_read(self, count: int) -> None:
        deadline = time.monotonic() + READ_SECONDS
        async with AsyncExitStack() as opened:
            consumer = await opened.enter_async_context(AIOKafkaConsumer(**self.kafka.client_options))
            readers = {name: await asyncpg.connect(self.databases[name]) for name in self._readers}
            for connection in readers.values():
                opened.push_async_callback(connection.close)
            partitions = [TopicPartition(self._name, number) for number in range(count)]
            while behind := await self._behind(consumer, partitions, readers):
                if time.monotonic() > deadline:
                    raise CannotRepartition(f"Not read after {READ_SECONDS:.0f} s: {behind}. Look for parked batches.")
                await asyncio.sleep(POLL_SECONDS)

    async def _behind(
        self,
        consumer: AIOKafkaConsumer,
        partitions: Sequence[TopicPartition],
        readers: Mapping[str, asyncpg.Connection],
    ) -> dict[str, int]:
        """By reader, how many records it has not read: by its own database, where reading and effect are one."""
        ends, starts = await consumer.end_offsets(partitions), await consumer.beginning_offsets(partitions)
        behind: dict[str, int] = {}
        for name, connection in readers.items():
            read = {row["partition"]: row["offset"] + 1 for row in await connection.fetch(PROGRESS, self.topic)}
            unread = sum(max(ends[p] - max(read.get(p.partition, 0), starts[p]), 0) for p in partitions)
            behind |= {name: unread} if unread else {}
        return behind

    async def _are_assigned(self, admin: AIOKafkaAdminClient) -> bool:
        deadline = time.monotonic() + ASSIGNED_SECONDS
        groups = [self.topic_prefix + reader for reader in self._readers]
        while any([await self._assigned(admin, group) < self.partitions for group in groups]):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    async def _assigned(self, admin: AIOKafkaAdminClient, group: str) -> int:
        """How many partitions of the topic the members of `group` have together."""
        (answer,) = await admin.describe_consumer_groups([group])
        (described,) = answer.to_object()["groups"]
        assignments = [member["member_assignment"] for member in described["members"] if member["member_assignment"]]
        decoded = [ConsumerProtocolMemberAssignment.decode(assignment) for assignment in assignments]
        return sum(len(numbers) for each in decoded for topic, numbers in each.assignment if topic == self._name)
