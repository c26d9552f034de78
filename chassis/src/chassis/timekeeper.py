"""Fires the timers that are due."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox, roots, telemetry, timers
from chassis.clock import utc_now
from chassis.consumers import Consumers, TimerHandler
from chassis.database import Database
from chassis.errors import is_transient

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5


class Timekeeper:
    """Any number may run on one database: an order that another holds is skipped and looked at again."""

    def __init__(
        self,
        database: Database,
        consumers: Sequence[Consumers],
        *,
        service: str,
        root: type[roots.Root] | None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._service = service
        self._root = root
        self._clock = clock
        self._handlers: dict[str, TimerHandler] = {k: v for each in consumers for k, v in each.timer_handlers.items()}

    async def run(self) -> None:
        """Until cancelled."""
        while self._handlers:
            try:
                fired = await self.fire_due()
            except Exception as reason:
                log.warning("timers_wait", reason=repr(reason))
                fired = 0
            if not fired:
                await asyncio.sleep(POLL_SECONDS)

    async def fire_due(self) -> int:
        """Fire what is due now, in one transaction; if that fails, order by order. Return how many fired."""
        now = self._clock()
        async with self._database.transaction() as session:
            order_ids = await timers.orders_with_due_timers(session, now=now)
        if not order_ids:
            return 0
        try:
            return await self._fire(order_ids, now=now)
        except Exception as reason:
            if is_transient(reason):
                raise
            log.error("timer_refused", reason=repr(reason))
        return sum([await self._fire_alone(order_id, now=now) for order_id in order_ids])

    async def _fire(self, order_ids: list[UUID], *, now: datetime) -> int:
        assert self._root is not None
        async with self._database.transaction() as session:
            await roots.lock_all(session, self._root, order_ids, skip_locked=True)
            held = [order_id for order_id in order_ids if roots.held(session, order_id)]
            due = await timers.take_due_timers(session, held, now=now)
            for timer in due:
                await self._handle(session, timer, now=now)
            return len(due)

    async def _fire_alone(self, order_id: UUID, *, now: datetime) -> int:
        try:
            return await self._fire([order_id], now=now)
        except Exception as reason:
            log.error("timer_refused", order_id=str(order_id), reason=repr(reason))
            return 0

    async def _handle(self, session: AsyncSession, timer: timers.Timer, *, now: datetime) -> None:
        outbox.set_cause(session, outbox.Cause(id=str(timer.timer_id), actor=f"system:{self._service}"))
        with telemetry.span(f"timer {timer.kind}", key=str(timer.order_id)):
            await self._handlers[timer.kind](timer, session)
        telemetry.TIMERS_FIRED.labels(self._service, timer.kind).inc()
        telemetry.TIMER_LATENESS.labels(self._service).set((now - timer.due_at).total_seconds())
