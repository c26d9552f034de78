"""How the business stands, for those who watch: counts of orders, never their contents."""

from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import business_date, utc_now
from chassis.settings import settings_of
from portal import queries
from portal.settings import Settings

ORDERS = Gauge("orderloom_orders", "Orders under way, by where they stand", ["order_type", "stage", "status"])
ORDERS_LATE = Gauge("orderloom_orders_late", "Orders under way that are late", ["against"])


async def watch_orders(session: AsyncSession) -> None:
    """What was counted before and is no more is forgotten, not kept at its last count."""
    today = business_date(utc_now(), settings_of(session, Settings).company_zone)
    counts = await queries.count_under_way(session)
    late = await queries.count_late(session, today=today)
    ORDERS.clear()
    for order_type, stage, status, count in counts:
        ORDERS.labels(order_type, stage, status).set(count)
    ORDERS_LATE.labels("plan").set(late.against_plan)
    ORDERS_LATE.labels("wish").set(late.against_wish)
