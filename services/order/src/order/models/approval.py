"""Decisions on orders, and the ladder that says whose are needed."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from order.models.model import Model
from order.models.order import Order


class Decision(Model):
    """One holder of a step's role decided it."""

    __tablename__ = "decisions"

    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey(Order.order_id), index=True)
    revision: Mapped[int]
    step: Mapped[int]
    role: Mapped[str]
    decision: Mapped[str]
    by: Mapped[str]
    comment: Mapped[str | None]
    decided_at: Mapped[datetime]


class ApprovalRung(Model):
    """A step of the ladder, from the lowest."""

    __tablename__ = "approval_rungs"

    rank: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    role: Mapped[str] = mapped_column(unique=True)
    above: Mapped[Decimal]
    """In the company's currency."""


class ExchangeRate(Model):
    """What one unit of a currency is worth in the company's; only to find the steps of the ladder."""

    __tablename__ = "exchange_rates"

    currency: Mapped[str] = mapped_column(primary_key=True)
    rate: Mapped[Decimal]
