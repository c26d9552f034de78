"""PostgreSQL and the broker without any service: where one mechanism of the chassis is measured alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from chassis import migrations
from chassis.database import Database
from chassis.ids import new_id
from chassis.settings import ServiceSettings
from order.app import service
from orderloom.parts import Parts, embedded_parts

SESSION_TIMEOUT_MS = 6000
"""The embedded broker lets a group form after half of it."""


@dataclass(frozen=True)
class Bus:
    """A migrated database and topics that nobody else has."""

    parts: Parts
    settings: ServiceSettings
    database: Database

    async def connect(self) -> asyncpg.Connection:
        """Past everything of ours, for what is measured against."""
        return await asyncpg.connect(self.settings.database_url.get_secret_value().replace("+asyncpg", ""))

    def topic(self, name: str) -> str:
        return self.settings.topic_prefix + name


@asynccontextmanager
async def running_bus() -> AsyncIterator[Bus]:
    """Durable PostgreSQL and a fresh broker, the embedded ones."""
    with embedded_parts() as parts:
        prefix = f"bench-{new_id().hex}."
        await parts.create_topics(prefix)
        async with _bus(parts, prefix) as bus:
            yield bus


@asynccontextmanager
async def of_another_service(bus: Bus) -> AsyncIterator[Bus]:
    """The same broker and topics, with a database of its own."""
    async with _bus(bus.parts, bus.settings.topic_prefix) as other:
        yield other


@asynccontextmanager
async def _bus(parts: Parts, prefix: str) -> AsyncIterator[Bus]:
    url = await parts.create_database(f"bench_{new_id().hex}")
    await _migrate(url)
    settings = ServiceSettings(
        database_url=url,
        kafka_bootstrap_servers=parts.bootstrap_servers,
        topic_prefix=prefix,
        session_timeout_ms=SESSION_TIMEOUT_MS,
    )
    database = Database(url, shared={"settings": settings})
    try:
        yield Bus(parts, settings, database)
    finally:
        await database.close()


async def _migrate(url: str) -> None:
    """The order service's tables: the chassis' are among them."""
    await asyncio.to_thread(migrations.migrate, url, service.migrations)
