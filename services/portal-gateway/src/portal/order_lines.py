"""The line of an order in the work list, as JSON: rendered once after each change of the order, shown many times."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.cached import forget_oldest
from portal import queries
from portal.schemas.orders import WorkSummaryOut

KEPT_MAX = 10_000
"""Lines in memory, of about 1.3 kB each; the one that was rendered first makes room."""
KEPT = "order lines"


async def lines(session: AsyncSession, stamps: Sequence[str]) -> list[bytes]:
    """The JSON of a `WorkSummaryOut` for each of `stamps`, in their order, as far as the order is still there."""
    kept: dict[str, bytes] = session.info["shared"].setdefault(KEPT, {})
    missing = [stamp for stamp in stamps if stamp not in kept]
    rendered = dict[UUID, bytes]()
    if missing:
        for stamp, view in await queries.stamped(session, [order_of(stamp) for stamp in missing]):
            line = WorkSummaryOut.model_validate(view).model_dump_json().encode()
            rendered[order_of(stamp)] = line
            if view.type is not None:  # which is heard of without a change of the order
                kept[stamp] = line
    found = [kept.get(stamp) or rendered.get(order_of(stamp)) for stamp in stamps]
    forget_oldest(kept, kept_max=KEPT_MAX)
    return [line for line in found if line is not None]


def order_of(stamp: str) -> UUID:
    """The order that a stamp of `queries.list_stamps` is of."""
    return UUID(stamp.partition(" ")[0])
