"""The line of an order in a list, rendered once after each change of the order and shown many times."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.cached import forget_oldest
from portal import queries
from portal.models import OrderView
from portal.schemas.orders import WorkSummaryOut

KEPT_MAX = 10_000
"""Lines of a kind in memory, of about 1.3 kB each; the one that was rendered first makes room."""
KEPT = "order lines"

L = TypeVar("L")


@dataclass(frozen=True)
class Lines(Generic[L]):
    """Lines of one kind, which depend on the order, its type and `valid_for` alone."""

    kind: str
    render: Callable[[OrderView], L]
    valid_for: str = ""
    """Whatever else a line depends on, like the day: another one, another line."""

    async def of(self, session: AsyncSession, stamps: Sequence[str]) -> list[L]:
        """A line for each of `stamps`, in their order, as far as the order is still there."""
        kept: dict[str, L] = session.info["shared"].setdefault((KEPT, self.kind), {})
        missing = [stamp for stamp in stamps if self._key(stamp) not in kept]
        rendered = dict[UUID, L]()
        if missing:
            for stamp, view in await queries.stamped(session, [order_of(stamp) for stamp in missing]):
                line = rendered[view.order_id] = self.render(view)
                if view.type is not None:  # which is heard of without a change of the order
                    kept[self._key(stamp)] = line
        found = [kept.get(self._key(stamp)) or rendered.get(order_of(stamp)) for stamp in stamps]
        forget_oldest(kept, kept_max=KEPT_MAX)
        return [line for line in found if line is not None]

    def _key(self, stamp: str) -> str:
        return f"{stamp} {self.valid_for}"


def _as_json(view: OrderView) -> bytes:
    return WorkSummaryOut.model_validate(view).model_dump_json().encode()


JSON_LINES = Lines("json", _as_json)
"""Of `WorkSummaryOut`."""


def order_of(stamp: str) -> UUID:
    """The order that a stamp of `queries.list_stamps` is of."""
    return UUID(stamp.partition(" ")[0])
