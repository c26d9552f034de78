"""Which orders have changed, told to every open page: one look at the database for all of them.

A stream carries no data, only which orders changed: the page is fetched again, and who may see what is asked there.
What changed is what the inbox of the view has entered in the last seconds and was not told yet. A cursor alone would
lose a fact whose transaction committed late.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import ARRAY, Uuid, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import Database
from chassis.errors import Refusal
from chassis.principal import Principal
from portal.models import OrderView, TimelineEntry

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.2
WINDOW_SECONDS = 6.0
"""Longer than a transaction of the view takes. What takes longer is seen at the next change of its order."""
IDS_MAX = 200
"""In one message. Who has more to hear of is told that everything may have changed."""
EVERYTHING = "*"
STREAMS_OF_ONE_MAX = 20

ENTERED = text(
    "SELECT event_id FROM inbox WHERE consumer = :consumer "
    "AND received_at > clock_timestamp() - make_interval(secs => :seconds)"
).bindparams(seconds=WINDOW_SECONDS)
CHANGED = (
    select(OrderView.order_id, OrderView.client_id)
    .join(TimelineEntry, TimelineEntry.order_id == OrderView.order_id)
    .where(TimelineEntry.event_id == func.any(bindparam("event_ids", type_=ARRAY(Uuid))))
    .distinct()
)


class TooManyStreams(Refusal):
    """Of this process, or of one person. The page works without, only not live."""

    status = 503
    retry_after_seconds = 30


class Changed(NamedTuple):
    order_id: UUID
    client_id: UUID


@dataclass(eq=False)
class Listener:
    """An open page, and what it has not been told yet: never more than IDS_MAX ids, however slow it is."""

    viewer: Principal
    order_id: UUID | None
    """The only one it is about, if it is."""
    pending: set[str] = field(default_factory=set)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, changed: Changed) -> None:
        """Unless it is about another order, or another client's."""
        if self.viewer.kind == "client" and self.viewer.client_id != changed.client_id:
            return
        if self.order_id in (None, changed.order_id):
            self.tell(str(changed.order_id))

    def tell(self, what: str) -> None:
        self.pending.add(what)
        if EVERYTHING in self.pending or len(self.pending) > IDS_MAX:
            self.pending = {EVERYTHING}
        self.woken.set()

    def take(self) -> Sequence[str]:
        told, self.pending = sorted(self.pending), set()
        self.woken.clear()
        return told


class Streams:
    """The listeners of this process. Looks at the database while there are any."""

    def __init__(self, database: Database, *, consumer: str, streams_max: int) -> None:
        """`consumer` is the one whose effects the pages show."""
        self._database = database
        self._consumer = consumer
        self._streams_max = streams_max
        self._listeners: set[Listener] = set()
        self._by_person: Counter[str] = Counter()
        self._looking: asyncio.Task[None] | None = None
        self._told: dict[UUID, float] = {}
        """When each fact of the window was told."""
        self._recent: dict[Changed, float] = {}

    @contextmanager
    def listening(self, viewer: Principal, order_id: UUID | None, *, has_missed: bool) -> Iterator[Listener]:
        """From a little before now on. `has_missed`: a stream before this one broke too long ago to go on from there.

        Raises `TooManyStreams`.
        """
        if len(self._listeners) >= self._streams_max:
            raise TooManyStreams(f"{self._streams_max} pages are live here already: this one works without.")
        if self._by_person[viewer.actor] >= STREAMS_OF_ONE_MAX:
            raise TooManyStreams(f"You have {STREAMS_OF_ONE_MAX} live pages open: this one works without.")
        listener = Listener(viewer, order_id)
        for changed in self._recent:
            listener.hear(changed)
        if has_missed:
            listener.tell(EVERYTHING)
        self._listeners.add(listener)
        self._by_person[viewer.actor] += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            self._by_person[viewer.actor] -= 1
            self._by_person += Counter()  # forgets who has none

    async def _look(self) -> None:
        while self._listeners:
            try:
                async with self._database.transaction() as session:
                    changed = await self._changed(session)
            except Exception as reason:
                log.warning("streams_wait", reason=repr(reason))
                changed = []
            for each in changed:
                for listener in self._listeners:
                    listener.hear(each)
            await asyncio.sleep(POLL_SECONDS)

    async def _changed(self, session: AsyncSession) -> list[Changed]:
        """Since the last look; in the first one, within the window."""
        now = time.monotonic()
        entered = set(await session.scalars(ENTERED, {"consumer": self._consumer}))
        fresh = entered - self._told.keys()
        self._told = {event_id: at for event_id, at in self._told.items() if event_id in entered}
        self._recent = {each: at for each, at in self._recent.items() if now - at < WINDOW_SECONDS}
        if not fresh:
            return []
        rows = await session.execute(CHANGED, {"event_ids": list(fresh)})
        changed = [Changed(row.order_id, row.client_id) for row in rows]
        self._told.update(dict.fromkeys(fresh, now))
        self._recent.update(dict.fromkeys(changed, now))
        return changed
