"""Workers of one service whose every effect is a row: what was applied how often, in which order, by which of them."""

import itertools
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox
from chassis.consumers import Consumers
from chassis.ids import new_id
from chassis.worker import Worker
from contracts.order import OrderHeld
from probe import SERVICE, Probe

TABLE = "CREATE TABLE effects (position bigserial PRIMARY KEY, worker text, order_id text, number int)"
EFFECT = text("INSERT INTO effects (worker, order_id, number) VALUES (:worker, :order_id, :number)")


@dataclass
class Effects:
    """`told` counts, by order, the facts recorded; the number of each is in its reason."""

    probe: Probe
    told: dict[UUID, int] = field(default_factory=dict)
    running: AsyncExitStack = field(default_factory=AsyncExitStack)
    names: "itertools.count[int]" = field(default_factory=itertools.count)

    async def prepare(self) -> None:
        async with self.probe.database.transaction() as session:
            await session.execute(text(TABLE))

    def worker(self, name: str) -> Worker:
        consumers = Consumers("probe")

        @consumers.on(OrderHeld)
        async def keep(event: OrderHeld, session: AsyncSession) -> None:
            values = {"worker": name, "order_id": str(event.order_id), "number": int(event.reason)}
            await session.execute(EFFECT, values)

        return Worker(self.probe.settings, self.probe.database, service=SERVICE, consumers=[consumers], root=None)

    async def tell(self, orders: Iterable[UUID]) -> None:
        """Record one more fact about each, for the relays of the workers to publish."""
        async with self.probe.database.transaction(outbox.Cause(id="x", actor="system:test")) as session:
            for order_id in orders:
                number = self.told[order_id] = self.told.get(order_id, 0) + 1
                held = OrderHeld(order_id=order_id, reason=str(number), by="user:wang")
                outbox._enter(session, held, key=str(order_id), headers={})  # `record` asks for a root: there is none

    async def applied(self) -> list[tuple[str, str, int]]:
        """Worker, order and number of each, in the order of their application."""
        async with self.probe.database.transaction() as session:
            rows = await session.execute(text("SELECT worker, order_id, number FROM effects ORDER BY position"))
            return [(worker, order_id, number) for worker, order_id, number in rows]

    async def are_all_applied(self) -> bool:
        async with self.probe.database.transaction() as session:
            count = await session.scalar(text("SELECT count(*) FROM effects"))
            return bool(count and count >= sum(self.told.values()))

    async def assert_each_once_and_in_order(self) -> None:
        by_order: dict[str, list[int]] = {}
        for _, order_id, number in await self.applied():
            by_order.setdefault(order_id, []).append(number)
        assert by_order == {str(order_id): list(range(1, count + 1)) for order_id, count in self.told.items()}


def orders(count: int) -> Sequence[UUID]:
    return [new_id() for _ in range(count)]
