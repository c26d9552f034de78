"""Tables with their rules, and the refusals that they raise; by the noun that they are about."""

from project.models.calendar_day import CalendarDay
from project.models.catalogue import OrderType, Template
from project.models.model import Model
from project.models.person import Person
from project.models.project import Deliverable, Milestone, Project, ProjectStatus
from project.models.task import Inspection, Task, TaskStatus, TimeEntry

__all__ = [
    "CalendarDay",
    "Deliverable",
    "Inspection",
    "Milestone",
    "Model",
    "OrderType",
    "Person",
    "Project",
    "ProjectStatus",
    "Task",
    "TaskStatus",
    "Template",
    "TimeEntry",
]
