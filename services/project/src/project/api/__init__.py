"""HTTP in, operation or query called; decides nothing. One router by noun."""

from project.api.catalogue import catalogue
from project.api.people import people
from project.api.projects import projects
from project.api.tasks import tasks

routers = (projects, tasks, catalogue, people)

__all__ = ["routers"]
