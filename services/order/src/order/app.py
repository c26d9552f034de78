"""The order service, assembled."""

import asyncio
from pathlib import Path

from chassis.application import Service
from chassis.clock import utc_now
from chassis.worker import Worker
from order import operations
from order.api import routers
from order.consumers import effects, thread
from order.models import Model, Order
from order.settings import Settings

ARCHIVE_POLL_SECONDS = 0.5
REJECTIONS_POLL_SECONDS = 300.0


async def tell_archive(worker: Worker) -> None:
    """Tells threads again for the rebuilds that were asked for."""
    while True:
        async with worker.database.transaction() as session:
            told = await operations.tell_archive(session, now=utc_now())
        if not told:
            await asyncio.sleep(ARCHIVE_POLL_SECONDS)


async def drop_old_rejections(worker: Worker) -> None:
    """Forgets requests of other systems that were rejected long ago."""
    while True:
        async with worker.database.transaction() as session:
            has_more = await operations.drop_old_rejections(session, now=utc_now())
        if not has_more:
            await asyncio.sleep(REJECTIONS_POLL_SECONDS)


service = Service(
    name="order",
    settings=Settings,
    routers=routers,
    consumers=(thread, effects),
    root=Order,
    metadata=Model.metadata,
    migrations=Path(__file__).parents[2] / "migrations",
    duties=(tell_archive, drop_old_rejections),
)

if __name__ == "__main__":
    service.run()
