"""The thread grows by everything that is told about an order."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import flush, roots
from chassis.delivery import Delivery
from chassis.errors import Undeliverable
from order.models import Order, ThreadEntry


async def append_to_thread(session: AsyncSession, fact: Delivery) -> None:
    """Raises `Undeliverable` for nobody's order: to park its key would keep for ever what no one can heal."""
    order = await roots.lock(session, Order, fact.order_id)
    if order is None:
        raise Undeliverable(f"There is no order {fact.order_id}: {fact.type} stands on no thread.")
    flush.write(session, [ThreadEntry.append(order, fact)])
