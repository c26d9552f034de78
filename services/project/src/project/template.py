"""Project templates: what is done for an order of a type, by whom and after what, and which milestones it proves."""

from collections.abc import Iterable

from pydantic import Field

from chassis.errors import FieldError
from contracts.directory import OrderTypePublished
from contracts.event import Labels
from contracts.order_body import Incoming
from contracts.strict import Code
from project.schedule import cycle_in

ACCEPTED = "accepted"
"""The milestone that no task reaches: the client does, by signing off."""
TASKS_MAX = 200
MILESTONES_MAX = 50
DELIVERABLES_MAX = 50
DURATION_DAYS_MAX = 365


class TemplateTask(Incoming):
    code: Code
    stage: Code
    """One of the order type's."""
    name: Labels
    role: Code
    """What its owner must be."""
    skill: Code | None = None
    """What its owner should know."""
    duration_days: int = Field(ge=1, le=DURATION_DAYS_MAX)
    """Working days."""
    depends_on: list[Code] = Field(default=[], max_length=TASKS_MAX)
    """The tasks that finish first."""
    client_visible: bool
    inspection: bool = False
    """Its stage and its milestone wait until its latest inspection passed."""


class TemplateMilestone(Incoming):
    code: Code
    tasks: list[Code] = Field(default=[], max_length=TASKS_MAX)
    """It is reached when all of them are finished."""


class TemplateDeliverable(Incoming):
    code: Code
    name: Labels
    required: bool
    """The delivery is not submitted without it."""


class TemplateBody(Incoming):
    """What is made of every order of one type."""

    tasks: list[TemplateTask] = Field(min_length=1, max_length=TASKS_MAX)
    milestones: list[TemplateMilestone] = Field(max_length=MILESTONES_MAX)
    deliverables: list[TemplateDeliverable] = Field(default=[], max_length=DELIVERABLES_MAX)

    def fits(self, order_type: OrderTypePublished) -> bool:
        """Whether stages and milestones are those of this version of the type."""
        return not list(_differences(self, order_type))

    def contradictions(self, order_type: OrderTypePublished) -> list[FieldError]:
        """Everything that is wrong in it, for this version of the type."""
        return [*_repetitions(self), *_differences(self, order_type), *_wrong_tasks(self), *_wrong_milestones(self)]


def _repetitions(template: TemplateBody) -> Iterable[FieldError]:
    for name in ("tasks", "milestones", "deliverables"):
        codes = [each.code for each in getattr(template, name)]
        for number, code in enumerate(codes):
            if code in codes[:number]:
                yield FieldError(f"/{name}/{number}/code", "another one has this code already")


def _differences(template: TemplateBody, order_type: OrderTypePublished) -> Iterable[FieldError]:
    stages = {stage.code for stage in order_type.stages}
    for number, task in enumerate(template.tasks):
        if task.stage not in stages:
            yield FieldError(f"/tasks/{number}/stage", "the order type has no such stage")
    milestones = {milestone.code for milestone in order_type.milestones}
    for number, milestone in enumerate(template.milestones):
        if milestone.code not in milestones:
            yield FieldError(f"/milestones/{number}/code", "the order type has no such milestone")
    if missing := milestones - {milestone.code for milestone in template.milestones}:
        yield FieldError("/milestones", f"say how these are reached, too: {', '.join(sorted(missing))}")


def _wrong_tasks(template: TemplateBody) -> Iterable[FieldError]:
    codes = {task.code for task in template.tasks}
    for number, task in enumerate(template.tasks):
        for position, code in enumerate(task.depends_on):
            if code not in codes:
                yield FieldError(f"/tasks/{number}/depends_on/{position}", "no task has this code")
    if cycle := cycle_in({task.code: task.depends_on for task in template.tasks}):
        yield FieldError("/tasks", f"these wait for each other: {' → '.join(cycle)}")


def _wrong_milestones(template: TemplateBody) -> Iterable[FieldError]:
    codes = {task.code for task in template.tasks}
    for number, milestone in enumerate(template.milestones):
        for position, code in enumerate(milestone.tasks):
            if code not in codes:
                yield FieldError(f"/milestones/{number}/tasks/{position}", "no task has this code")
        if (milestone.code == ACCEPTED) == bool(milestone.tasks):
            reason = "the client's signature reaches it" if milestone.tasks else "name the tasks that reach it"
            yield FieldError(f"/milestones/{number}/tasks", reason)
