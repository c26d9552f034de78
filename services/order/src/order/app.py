"""The order service, assembled."""

from pathlib import Path

from chassis.application import Service
from order.api import routers
from order.consumers import effects, thread
from order.models import Model, Order
from order.settings import Settings

service = Service(
    name="order",
    settings=Settings,
    routers=routers,
    consumers=(thread, effects),
    root=Order,
    metadata=Model.metadata,
    migrations=Path(__file__).parents[2] / "migrations",
)

if __name__ == "__main__":
    service.run()
