"""Messages no consumer could apply: they wait in the services' databases for somebody to decide.

Those that wait for a fact not heard of yet are tried again by themselves, and are not among them.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg

CONNECT_SECONDS = 5.0

PARKED = "SELECT consumer, key, reason, parked_at FROM parked_keys WHERE NOT waits ORDER BY parked_at"


@dataclass(frozen=True)
class ParkedKey:
    """Since `parked_at` the messages of `key` wait, the first of them for `reason`."""

    service: str
    consumer: str
    key: str
    reason: str
    parked_at: datetime


async def count(databases: Mapping[str, str]) -> int | None:
    """Return how many keys are parked in all databases, None when one cannot be asked."""
    try:
        return len(await keys(databases))
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return None


async def keys(databases: Mapping[str, str]) -> list[ParkedKey]:
    """Return the parked keys of every service. Raise OSError or PostgresError when a database cannot be asked."""
    of_services = await asyncio.gather(*(_keys_of(service, url) for service, url in databases.items()))
    return [key for of_service in of_services for key in of_service]


async def _keys_of(service: str, url: str) -> list[ParkedKey]:
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    try:
        rows = await connection.fetch(PARKED)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):  # not migrated yet
        rows = []
    finally:
        await connection.close()
    return [ParkedKey(service, *row) for row in rows]
