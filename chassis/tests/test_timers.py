"""Durable timers: fired once, in time or late, and only the highest level of what is due."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox, roots, timers
from chassis.clock import utc_now
from chassis.consumers import Consumers
from chassis.timekeeper import Timekeeper
from order.models import Order
from order_world import ORDER, SALES, ready
from stack import Running

NOW = utc_now()


class Clocked:
    """A timekeeper whose clock the test moves."""

    def __init__(self, service: Running) -> None:
        self.now: datetime = NOW
        self.fired: list[tuple[str, int]] = []
        self.fails = 0
        consumers = Consumers("probe")
        consumers.on_timer("overdue")(self.fire)
        self.keeper = Timekeeper(service.database, [consumers], service="order", root=Order, clock=lambda: self.now)

    async def fire(self, timer: timers.Timer, session: AsyncSession) -> None:
        if self.fails:
            self.fails -= 1
            raise RuntimeError("not now")
        assert roots.held(session, timer.order_id) is not None
        self.fired.append((timer.subject, timer.level))


async def an_order(service: Running) -> UUID:
    await ready(service)
    return UUID((await service.post("/orders", SALES, json=ORDER)).json()["order_id"])


async def set_levels(service: Running, order_id: UUID, subject: str) -> None:
    async with service.database.transaction(outbox.Cause(id="x", actor="system:test")) as session:
        await roots.lock(session, Order, order_id)
        for level in (1, 2, 3):
            due_at = NOW + timedelta(days=level)
            timers.set_timer(session, kind="overdue", order_id=order_id, subject=subject, level=level, due_at=due_at)


async def test_rule_32_every_level_fires_exactly_once(order_service: Running) -> None:
    order_id, clocked = await an_order(order_service), Clocked(order_service)
    await set_levels(order_service, order_id, "task")
    assert await clocked.keeper.fire_due() == 0
    for day in (1, 2, 3):
        clocked.now = NOW + timedelta(days=day, seconds=1)
        assert [await clocked.keeper.fire_due(), await clocked.keeper.fire_due()] == [1, 0]
    assert clocked.fired == [("task", 1), ("task", 2), ("task", 3)]


async def test_after_a_jump_forward_only_the_highest_level_fires(order_service: Running) -> None:
    order_id, clocked = await an_order(order_service), Clocked(order_service)
    await set_levels(order_service, order_id, "first")
    await set_levels(order_service, order_id, "second")
    clocked.now = NOW + timedelta(days=30)
    await clocked.keeper.fire_due()
    assert sorted(clocked.fired) == [("first", 3), ("second", 3)]
    assert await clocked.keeper.fire_due() == 0


async def test_cancelled_and_suspended_timers_do_not_fire(order_service: Running) -> None:
    order_id, clocked = await an_order(order_service), Clocked(order_service)
    await set_levels(order_service, order_id, "cancelled")
    await set_levels(order_service, order_id, "suspended")
    async with order_service.database.transaction() as session:
        await timers.cancel_timers(session, order_id=order_id, subject="cancelled")
        await timers.suspend_timers(session, order_id=order_id, suspended=True)
    clocked.now = NOW + timedelta(days=30)
    assert await clocked.keeper.fire_due() == 0
    async with order_service.database.transaction() as session:
        await timers.suspend_timers(session, order_id=order_id, suspended=False)
    await clocked.keeper.fire_due()
    assert clocked.fired == [("suspended", 3)]


async def test_a_handler_that_fails_fires_again_and_an_order_that_is_held_is_skipped(order_service: Running) -> None:
    order_id, clocked = await an_order(order_service), Clocked(order_service)
    await set_levels(order_service, order_id, "task")
    clocked.now, clocked.fails = NOW + timedelta(days=1, seconds=1), 2
    assert await clocked.keeper.fire_due() == 0
    async with order_service.database.transaction() as session:
        await roots.lock(session, Order, order_id)
        assert await clocked.keeper.fire_due() == 0
    assert await clocked.keeper.fire_due() == 1
