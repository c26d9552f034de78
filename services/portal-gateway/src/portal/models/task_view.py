"""A task as it is shown: who has it, and how it stands."""

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts.project import Task, TaskReassigned, TaskStarted
from portal.models.model import Model

if TYPE_CHECKING:
    from portal.models.order_view import OrderView

OPEN = ("planned", "started", "blocked")


class TaskView(Model):
    """Facts are not refused: one that comes too late changes nothing."""

    __tablename__ = "task_views"

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("order_views.order_id"))
    position: Mapped[int]
    """In the project, from 1."""
    code: Mapped[str]
    stage: Mapped[str]
    name: Mapped[dict[str, str]]
    role: Mapped[str]
    assignee_id: Mapped[str | None]
    assignee_name: Mapped[str | None]
    queue: Mapped[str | None]
    """The role whose holders see it while nobody has it."""
    status: Mapped[str]
    planned_start: Mapped[dt.date]
    planned_finish: Mapped[dt.date]
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    overdue_level: Mapped[int]
    client_visible: Mapped[bool]
    depends_on: Mapped[list[Any]]

    order: Mapped["OrderView"] = relationship(lazy="raise", viewonly=True)

    __table_args__ = (
        Index("task_views_order_id_position_ix", "order_id", "position"),
        Index("task_views_assignee_id_ix", "assignee_id", "planned_finish"),
        Index("task_views_queue_ix", "queue", "planned_finish"),
        Index("task_views_blocked_ix", "planned_finish", "task_id", postgresql_where=text("status = 'blocked'")),
    )

    @classmethod
    def of(cls, task: Task, *, order_id: UUID, position: int) -> "TaskView":
        return cls(
            task_id=task.id,
            order_id=order_id,
            position=position,
            code=task.code,
            stage=task.stage,
            name={"zh": task.name.zh, "en": task.name.en},
            role=task.role,
            assignee_id=task.assignee.id if task.assignee else None,
            assignee_name=task.assignee.name if task.assignee else None,
            queue=task.queue,
            status="planned",
            planned_start=task.planned_start,
            planned_finish=task.planned_finish,
            started_at=None,
            finished_at=None,
            overdue_level=0,
            client_visible=task.client_visible,
            depends_on=[str(each) for each in task.depends_on],
        )

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def status_for_client(self) -> str:
        """What stands in the way of a task stays in the house."""
        if self.status == "blocked":
            return "started" if self.started_at else "planned"
        return self.status

    def start(self, event: TaskStarted) -> None:
        if self.is_open:
            self.status, self.started_at = "started", event.started_at

    def finish(self, finished_at: dt.datetime) -> bool:
        """Whether it was open until now."""
        was_open = self.is_open
        if was_open:
            self.status, self.finished_at = "finished", finished_at
        return was_open

    def block(self) -> None:
        if self.is_open:
            self.status = "blocked"

    def unblock(self) -> None:
        """As it stood before."""
        if self.status == "blocked":
            self.status = "started" if self.started_at else "planned"

    def reassign(self, event: TaskReassigned) -> None:
        self.assignee_id, self.assignee_name = event.to_person.id, event.to_person.name
        self.queue = None

    def cancel(self) -> None:
        self.status = "cancelled"
