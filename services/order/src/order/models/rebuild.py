"""A rebuild: the archive tells the threads of orders again to a service that makes its read model from them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.errors import Conflict, NotFound
from chassis.ids import new_id
from contracts.topics import READ_MODELS
from order.models.model import Model


class NoReadModel(Conflict):
    """What the service keeps cannot be made from threads alone."""


class RebuildNotFound(NotFound): ...


class Rebuild(Model):
    """Goes on where it stopped, whatever dies meanwhile. The threads of orders leave by their ids."""

    __tablename__ = "rebuilds"

    rebuild_id: Mapped[UUID] = mapped_column(primary_key=True)
    """Made of the time: orders with a later id were placed after it began, and need none."""
    service: Mapped[str]
    order_id: Mapped[UUID | None]
    """The only one, or all."""
    is_forced: Mapped[bool]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    orders_total: Mapped[int]
    """When it began."""
    orders_told: Mapped[int]
    facts_told: Mapped[int]
    broken: Mapped[list[Any]]
    """The orders whose threads were tampered with, and where: none of them is told."""
    last_order_id: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (Index("rebuilds_unfinished_ix", "rebuild_id", postgresql_where=text("finished_at IS NULL")),)

    @classmethod
    def begin(
        cls, service: str, order_id: UUID | None, *, orders_total: int, is_forced: bool, by: str, now: datetime
    ) -> "Rebuild":
        """Raises `NoReadModel`."""
        if service not in READ_MODELS:
            raise NoReadModel(
                f"{service} keeps no read model: its own tables are the source of truth. "
                f"What can be rebuilt: {', '.join(READ_MODELS)}."
            )
        return cls(
            rebuild_id=new_id(),
            service=service,
            order_id=order_id,
            is_forced=is_forced,
            requested_by=by,
            requested_at=now,
            orders_total=orders_total,
            orders_told=0,
            facts_told=0,
            broken=[],
            last_order_id=None,
            finished_at=None,
        )

    def count(self, order_id: UUID, *, facts: int) -> None:
        """The thread of `order_id` is on its way."""
        self.orders_told, self.facts_told, self.last_order_id = self.orders_told + 1, self.facts_told + facts, order_id

    def pass_over(self, order_id: UUID, *, first_broken: int) -> None:
        self.broken = [*self.broken, {"order_id": str(order_id), "first_broken": first_broken}]
        self.last_order_id = order_id
