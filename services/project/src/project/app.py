"""The project service, assembled."""

from pathlib import Path

from chassis.application import Service
from project.api import routers
from project.consumers import effects
from project.models import Model, Project
from project.settings import Settings

service = Service(
    name="project",
    settings=Settings,
    routers=routers,
    consumers=(effects,),
    root=Project,
    metadata=Model.metadata,
    migrations=Path(__file__).parents[2] / "migrations",
)

if __name__ == "__main__":
    service.run()
