"""The finance service, assembled."""

from pathlib import Path

from chassis.application import Service
from finance.api import routers
from finance.consumers import consumers
from finance.models import Account, Model
from finance.settings import Settings

service = Service(
    name="finance",
    settings=Settings,
    routers=routers,
    consumers=(consumers,),
    root=Account,
    metadata=Model.metadata,
    migrations=Path(__file__).parents[2] / "migrations",
)

if __name__ == "__main__":
    service.run()
