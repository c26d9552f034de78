"""A service without a domain, on a real database and a real broker: what the chassis promises, alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.application import Service
from chassis.clock import utc_now
from chassis.consumers import Consumers
from chassis.database import ChassisModel, Database
from chassis.delivery import Letter
from chassis.ids import new_id
from chassis.settings import ServiceSettings
from chassis.worker import Worker
from contracts import topics
from contracts.order import OrderHeld, OrderResumed
from order.app import service as order_service
from orderloom.parts import Parts
from stack import copied_database, template_database

T = TypeVar("T")
SERVICE = "order"


@dataclass
class Probe:
    """A service that remembers what it applied, and raises what it is told to."""

    settings: ServiceSettings
    database: Database
    applied: list[tuple[str, str]] = field(default_factory=list)
    raises: dict[str, list[Exception]] = field(default_factory=dict)
    answered: list[Letter] = field(default_factory=list)
    given_up: list[Exception] = field(default_factory=list)
    consumers: Consumers = field(default_factory=lambda: Consumers("probe"))
    running: AsyncExitStack = field(default_factory=AsyncExitStack)

    def __post_init__(self) -> None:
        self.consumers.on(OrderHeld)(self.apply)
        self.consumers.on(OrderResumed)(self.apply)
        self.consumers.on_requests(topics.INBOUND, give_up=self.give_up)(self.answer)

    async def apply(self, event: OrderHeld | OrderResumed, session: AsyncSession) -> None:
        if waiting := self.raises.get(str(event.order_id)):
            raise waiting.pop(0)
        self.applied.append((str(event.order_id), event.type))

    async def answer(self, letter: Letter, session: AsyncSession) -> None:
        if waiting := self.raises.get(letter.key):
            raise waiting.pop(0)
        self.answered.append(letter)

    async def give_up(self, letter: Letter, reason: Exception, session: AsyncSession) -> None:
        self.given_up.append(reason)

    def worker(self) -> Worker:
        return Worker(self.settings, self.database, service=SERVICE, consumers=[self.consumers], root=None)

    def api(self) -> httpx.AsyncClient:
        """Its HTTP side, in a process without a worker."""
        service = Service(
            name=SERVICE,
            settings=ServiceSettings,
            routers=(),
            consumers=[self.consumers],
            root=None,
            metadata=ChassisModel.metadata,
            migrations=order_service.migrations,
        )
        transport = httpx.ASGITransport(service.api(self.settings, self.database), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://test", timeout=30)

    async def start(self) -> Worker:
        return await self.running.enter_async_context(self.worker().running())

    async def send(self, value: bytes | None, *, key: bytes, topic: str = topics.ORDERS, **envelope: Any) -> None:
        """Put a record on a topic as anyone could; by default the fact that an order was held."""
        headers = {
            "ce_specversion": b"1.0",
            "ce_id": str(new_id()).encode(),
            "ce_type": OrderHeld.type.encode(),
            "ce_source": b"order",
            "ce_time": utc_now().isoformat().encode(),
            "ce_actor": b"user:wang",
        } | envelope
        async with AIOKafkaProducer(**self.settings.client_options) as producer:
            name = self.settings.topic_prefix + topic
            await producer.send_and_wait(name, value, key=key, headers=list(headers.items()))

    async def hold(self, order_id: UUID, **envelope: Any) -> None:
        held = OrderHeld(order_id=order_id, reason="a reason", by="user:wang")
        await self.send(held.model_dump_json().encode(), key=str(order_id).encode(), **envelope)

    async def resume(self, order_id: UUID) -> None:
        resumed = OrderResumed(order_id=order_id, by="user:wang")
        body = resumed.model_dump_json().encode()
        await self.send(body, key=str(order_id).encode(), ce_type=OrderResumed.type.encode())

    async def has_applied(self, order_id: UUID, event_type: str = OrderHeld.type) -> bool:
        return (str(order_id), event_type) in self.applied

    async def count(self, table: str) -> int:
        async with self.database.transaction() as session:
            return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)

    async def records(self, topic: str, *, partitions: int = topics.PARTITIONS_EMBEDDED) -> list[ConsumerRecord]:
        """Everything on `topic` now."""
        consumer = AIOKafkaConsumer(**self.settings.client_options, auto_offset_reset="earliest")
        async with consumer:
            name = self.settings.topic_prefix + topic
            all_of_them = [TopicPartition(name, number) for number in range(partitions)]
            consumer.assign(all_of_them)
            ends = await consumer.end_offsets(all_of_them)
            found: list[ConsumerRecord] = []
            while len(found) < sum(ends.values()):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    found += batch
            return found


@asynccontextmanager
async def running_probe(parts: Parts, **told: Any) -> AsyncIterator[Probe]:
    """On a database of its own, and on the topics that its settings, `told`, lead to."""
    settings = ServiceSettings(
        database_url=await copied_database(parts, await template_database(parts, order_service)),
        session_timeout_ms=6000,
        **told,
    )
    database = Database(settings.database_url.get_secret_value(), shared={"settings": settings})
    probe = Probe(settings, database)
    yield probe
    await probe.running.aclose()
    await database.close()


async def eventually(look: Callable[[], Awaitable[T]], *, timeout_seconds: float = 30) -> T:
    """What `look` finds, as soon as it finds something."""
    async with asyncio.timeout(timeout_seconds):
        while not (found := await look()):
            await asyncio.sleep(0.02)
        return found
