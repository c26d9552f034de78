"""The notify service, assembled."""

from pathlib import Path

from chassis.application import Service
from notify.api import routers
from notify.backlog import watch_mail
from notify.consumers import directory, notices
from notify.models import Model, OrderAudience
from notify.post import look_at_server, send_mail
from notify.settings import Settings

service = Service(
    name="notify",
    settings=Settings,
    routers=routers,
    consumers=(directory, notices),  # people first: what follows in a batch can tell them
    root=OrderAudience,
    metadata=Model.metadata,
    migrations=Path(__file__).parents[2] / "migrations",
    duties=(send_mail,),
    watched=(watch_mail,),
    looks=lambda settings: {"mail": lambda: look_at_server(settings)},
)

if __name__ == "__main__":
    service.run()
