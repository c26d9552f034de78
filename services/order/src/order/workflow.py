"""The stage flow: a stage ends by itself when every fact that it waits for is true.

A fact is known by its name. Most are true from one event on; three are computed: the tasks of a stage are finished,
and the latest inspection of every task that is inspected has passed.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any

from contracts.directory import Stage
from contracts.project import Task

ORDER_APPROVED = "order.approved"
DELIVERY_SUBMITTED = "delivery.submitted"
DELIVERY_ACCEPTED = "delivery.accepted"
STAGE_TASKS_FINISHED = "stage_tasks_finished"
INSPECTION_PASSED = "inspection.passed"
FACTS = (ORDER_APPROVED, DELIVERY_SUBMITTED, DELIVERY_ACCEPTED, STAGE_TASKS_FINISHED, INSPECTION_PASSED)
"""What an exit may name."""


@dataclass(frozen=True)
class Advance:
    """A step of the flow, and why it was taken."""

    from_stage: str
    to_stage: str
    because: tuple[str, ...]
    waiting_for: tuple[str, ...]


@dataclass
class Progress:
    """What is known of an order's work. Events are named by their ids; the whole is kept as JSON on the order."""

    facts: dict[str, str] = field(default_factory=dict)
    """By name, the event that made it true."""
    open_tasks: dict[str, list[str]] | None = None
    """By stage. None until the project is known; a stage without tasks is not in it."""
    tasks_finished_by: dict[str, str] = field(default_factory=dict)
    """By stage, the event after which no task of it was open."""
    inspections: dict[str, list[str] | None] = field(default_factory=dict)
    """By inspected task, the latest result and its event."""

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Progress":
        return cls(**deepcopy(document))  # a change in place would not be seen as one, and never be written

    @property
    def document(self) -> dict[str, Any]:
        return asdict(self)

    def learn(self, fact: str, event_id: str) -> None:
        """A fact is true from its first event on."""
        self.facts.setdefault(fact, event_id)

    def plan(self, tasks: Sequence[Task], event_id: str) -> None:
        """The project is known: these are its tasks."""
        self.open_tasks = {}
        for task in tasks:
            self.open_tasks.setdefault(task.stage, []).append(str(task.id))
        self.inspections = {str(task.id): None for task in tasks if task.inspection}
        self.facts.setdefault("project.created", event_id)

    def finish(self, task_id: str, *, stage: str, event_id: str) -> None:
        """One task less in its stage."""
        still_open = [each for each in (self.open_tasks or {}).get(stage, []) if each != task_id]
        if self.open_tasks is not None:
            self.open_tasks[stage] = still_open
        if not still_open:
            self.tasks_finished_by[stage] = event_id

    def inspect(self, task_id: str, *, result: str, event_id: str) -> None:
        """The latest inspection of a task counts."""
        if task_id in self.inspections:
            self.inspections[task_id] = [result, event_id]

    def missing(self, stage: Stage) -> tuple[str, ...]:
        """The facts that `stage` still waits for, in the order in which the type names them."""
        return tuple(fact for fact in stage.exits if not self._is_true(fact, stage.code))

    def advance(self, stages: Sequence[Stage], current: str) -> list[Advance]:
        """The steps that can be taken now, one after another. From the last stage there is none."""
        steps = []
        position = next(index for index, stage in enumerate(stages) if stage.code == current)
        while position + 1 < len(stages) and not self.missing(stages[position]):
            left, entered = stages[position], stages[position + 1]
            because = tuple(dict.fromkeys(self._cause(fact, left.code) for fact in left.exits))
            steps.append(Advance(left.code, entered.code, because, self.missing(entered)))
            position += 1
        return steps

    def _is_true(self, fact: str, stage: str) -> bool:
        if fact == STAGE_TASKS_FINISHED:
            return self.open_tasks is not None and not self.open_tasks.get(stage)
        if fact == INSPECTION_PASSED:
            latest = self.inspections.values()
            return self.open_tasks is not None and all(each is not None and each[0] == "passed" for each in latest)
        return fact in self.facts

    def _cause(self, fact: str, stage: str) -> str:
        if fact == STAGE_TASKS_FINISHED:
            return self.tasks_finished_by.get(stage, self.facts["project.created"])
        if fact == INSPECTION_PASSED:
            events = [each[1] for each in self.inspections.values() if each]
            return max(events, default=self.facts["project.created"])
        return self.facts[fact]
