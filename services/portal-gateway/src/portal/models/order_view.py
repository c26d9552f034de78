"""An order as it is shown: what its facts, told by every service, add up to. `effects` has what each one changes."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, and_, text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from chassis.errors import NotFound
from chassis.roots import Root
from chassis.search import searched, trigrams
from contracts.order import OrderPlaced
from portal.models.directory import OrderType
from portal.models.model import Model
from portal.models.task_view import TaskView


class OrderNotFound(NotFound):
    """There is none, or the one who asks may not know that there is."""


OVER = ("rejected", "cancelled", "closed")
"""Of an order on which nobody works, or works no more."""


DOCUMENT = "document"


def _of_the_document() -> Any:
    """A column that only those who show the whole order read: it may be large, and facts and lists need none of it."""
    return mapped_column(deferred=True, deferred_group=DOCUMENT, deferred_raiseload=True)


NOT_IN_LISTS = (
    "approval_steps",
    "decisions",
    "milestones",
    "deliverables",
    "instalments",
    "invoices",
    "receipts",
)
"""Columns that a line of a list shows nothing of: to read their JSON would be a third of what a list costs."""


class OrderView(Root, Model):
    """The row is the root: whoever holds its lock may add to the order's timeline."""

    __tablename__ = "order_views"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_no: Mapped[str]
    version: Mapped[int]
    """The position of the last fact on its timeline."""
    updated_at: Mapped[dt.datetime]
    """When that fact was told."""
    placed_at: Mapped[dt.datetime]
    revision: Mapped[int]
    source: Mapped[str | None]
    """The system that its external id is of; None for an order without one."""
    external_id: Mapped[str | None]
    client_id: Mapped[UUID]
    client_code: Mapped[str]
    client_name: Mapped[str]
    title: Mapped[str]
    order_type: Mapped[str]
    type_version: Mapped[int]
    requester: Mapped[str]
    priority: Mapped[int]
    requested_date: Mapped[dt.date | None]
    currency: Mapped[str]
    net: Mapped[Decimal]
    tax: Mapped[Decimal]
    total: Mapped[Decimal]
    lines: Mapped[list[Any]] = _of_the_document()
    fields: Mapped[dict[str, Any]] = _of_the_document()
    terms: Mapped[list[Any]] = _of_the_document()
    status: Mapped[str]
    stage: Mapped[str]
    approval_steps: Mapped[list[Any]]
    decisions: Mapped[list[Any]]
    """Of this revision, the oldest first."""
    next_role: Mapped[str | None]
    """Whose holders are asked to decide now."""
    approved_on: Mapped[dt.date | None]
    project_id: Mapped[UUID | None]
    manager: Mapped[dict[str, Any] | None]
    planned_start: Mapped[dt.date | None]
    planned_finish: Mapped[dt.date | None]
    tasks_total: Mapped[int]
    tasks_finished: Mapped[int]
    open_tasks: Mapped[dict[str, Any]]
    """How many, by stage."""
    inspections: Mapped[dict[str, Any]]
    """By inspected task, its latest result, None before the first."""
    milestones: Mapped[list[Any]]
    deliverables: Mapped[list[Any]]
    delivery_submitted_at: Mapped[dt.datetime | None]
    accepted_on: Mapped[dt.date | None]
    accepted_by: Mapped[str | None]
    account_id: Mapped[UUID | None]
    instalments: Mapped[list[Any]]
    invoices: Mapped[list[Any]]
    receipts: Mapped[list[Any]]
    settled_on: Mapped[dt.date | None]
    closed_on: Mapped[dt.date | None]

    tasks: Mapped[list[TaskView]] = relationship(lazy="raise", order_by=TaskView.position, viewonly=True)
    type: Mapped[OrderType | None] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=lambda: and_(
            foreign(OrderView.order_type) == OrderType.code, foreign(OrderView.type_version) == OrderType.version
        ),
    )
    """None until it is heard of: it travels on another topic."""

    __table_args__ = (
        Index("order_views_client_id_ix", "client_id", "order_id"),
        Index("order_views_client_code_ix", "client_code", "order_id"),
        Index("order_views_status_ix", "status", "order_id"),
        Index("order_views_stage_ix", "order_type", "stage", "order_id"),
        Index(
            "order_views_under_way_ix",
            "planned_finish",
            "order_id",
            postgresql_where=text("status = 'approved' AND accepted_on IS NULL"),
        ),
    )

    @classmethod
    def of(cls, placed: OrderPlaced, *, now: dt.datetime) -> "OrderView":
        """An order that was placed for the first time, before that fact stands on its timeline."""
        view = cls(
            order_id=placed.order_id,
            order_no=placed.order_no,
            version=0,
            updated_at=now,
            client_id=placed.client.id,
            source=placed.external.source if placed.external else None,
            external_id=placed.external.id if placed.external else None,
            requester=placed.requester,
            approved_on=None,
            project_id=None,
            manager=None,
            planned_start=None,
            planned_finish=None,
            tasks_total=0,
            tasks_finished=0,
            open_tasks={},
            inspections={},
            milestones=[],
            deliverables=[],
            delivery_submitted_at=None,
            accepted_on=None,
            accepted_by=None,
            account_id=None,
            instalments=[],
            invoices=[],
            receipts=[],
            settled_on=None,
            closed_on=None,
        )
        view.place(placed)
        return view

    def place(self, placed: OrderPlaced) -> None:
        """Show what is wanted now. An order that was rejected is placed again, perhaps edited."""
        document = placed.model_dump(mode="json", include={"lines", "fields", "terms", "approval_steps"})
        self.placed_at, self.revision, self.status = self.updated_at, placed.revision, "submitted"
        self.client_id, self.client_code, self.client_name = placed.client.id, placed.client.code, placed.client.name
        self.order_type, self.type_version, self.stage = placed.order_type, placed.type_version, placed.stage
        self.title, self.priority, self.requested_date = placed.title, placed.priority, placed.requested_date
        self.currency, self.net, self.tax, self.total = placed.currency, placed.net, placed.tax, placed.total
        self.lines, self.fields, self.terms = document["lines"], document["fields"], document["terms"]
        self.approval_steps, self.decisions = document["approval_steps"], []
        self.next_role = placed.approval_steps[0].role if placed.approval_steps else None

    @property
    def stages(self) -> list[dict[str, Any]]:
        """All that the order goes through, each `done`, `now` or `next`; `held` or `skipped` where it stopped."""
        known = self.type.stages if self.type else [{"code": self.stage, "name": None, "exits": []}]
        present = next((index for index, stage in enumerate(known) if stage["code"] == self.stage), 0)
        return [
            {"code": stage["code"], "name": stage["name"], "state": self._state(index - present)}
            for index, stage in enumerate(known)
        ]

    def _state(self, distance: int) -> str:
        """Of the stage that is `distance` after the present one."""
        if distance < 0 or self.status in ("delivered", "closed"):
            return "done"
        if self.status in ("cancelled", "rejected"):
            return "skipped"
        if distance > 0:
            return "next"
        return "held" if self.status == "on_hold" else "now"

    @property
    def stage_name(self) -> dict[str, str] | None:
        return next((stage["name"] for stage in self.stages if stage["code"] == self.stage), None)

    @property
    def waiting_for(self) -> list[str]:
        """The facts that the present stage still waits for, in the order in which the type names them."""
        if self.status in OVER or self.type is None:
            return []
        exits: list[str] = next((stage["exits"] for stage in self.type.stages if stage["code"] == self.stage), [])
        return [fact for fact in exits if not self._is_true(fact)]

    def _is_true(self, fact: str) -> bool:
        if fact == "stage_tasks_finished":
            return self.project_id is not None and not self.open_tasks.get(self.stage)
        if fact == "inspection.passed":
            return self.project_id is not None and all(result == "passed" for result in self.inspections.values())
        seen = {
            "order.approved": self.approved_on,
            "delivery.submitted": self.delivery_submitted_at,
            "delivery.accepted": self.accepted_on,
        }
        return seen.get(fact) is not None

    @property
    def sign_off_possible(self) -> bool:
        """Whether everything waits for the client to accept the delivery."""
        return self.status == "approved" and self.delivery_submitted_at is not None and self.accepted_on is None


SEARCHED = searched(OrderView.order_no, OrderView.external_id, OrderView.title, OrderView.client_name)
Index("order_views_search_ix", trigrams(SEARCHED), postgresql_using="gin")
