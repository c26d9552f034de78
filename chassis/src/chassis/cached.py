"""Reference data in memory: read once, dropped by this process's own change, and read again when it is old."""

import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import OUTDATED

T = TypeVar("T")

AGE_SECONDS_MAX = 5.0
"""So long a change made by another process may go unnoticed."""


class Cached(Generic[T]):
    """What `load` reads, shared by all transactions on one database in this process. Never changed in place."""

    def __init__(
        self, load: Callable[[AsyncSession], Awaitable[T]], *, age_seconds_max: float = AGE_SECONDS_MAX
    ) -> None:
        self._load = load
        self._age_seconds_max = age_seconds_max

    async def get(self, session: AsyncSession) -> T:
        """At most `age_seconds_max` old."""
        shared = session.info["shared"]
        now = time.monotonic()
        if self not in shared or now - shared[self][0] > self._age_seconds_max:
            shared[self] = (now, await self._load(session))
        value: T = shared[self][1]
        return value

    def forget(self, session: AsyncSession) -> None:
        """Read it again at the next look."""
        session.info["shared"].pop(self, None)

    def drop(self, session: AsyncSession) -> None:
        """Read it again once this transaction is committed."""
        session.info.setdefault(OUTDATED, []).append(self)


def forget_oldest(kept: dict[Any, Any], *, kept_max: int) -> None:
    """Drop what was put into `kept` first, until no more than `kept_max` is left."""
    for oldest in list(itertools.islice(kept, max(len(kept) - kept_max, 0))):
        del kept[oldest]
