"""How many keys wait for somebody, asked of the databases: that works while services are down."""

import asyncio
from collections.abc import Mapping

import asyncpg

CONNECT_SECONDS = 5.0

PARKED = "SELECT count(*) FROM parked_keys WHERE NOT waits"


async def count(databases: Mapping[str, str]) -> int | None:
    """Return how many keys are parked in all databases, None when one cannot be asked."""
    try:
        return sum(await asyncio.gather(*(_count_in(url) for url in databases.values())))
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return None


async def _count_in(url: str) -> int:
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    try:
        return int(await connection.fetchval(PARKED))
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):  # not migrated yet
        return 0
    finally:
        await connection.close()
