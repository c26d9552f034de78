"""Requests of systems outside: each is answered once, however often it comes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.errors import FieldError
from order.models.model import Model

ERRORS_KEPT_MAX = 50
CHARACTERS_KEPT_MAX = 500
"""Of each text: the answer itself had all of it."""


class InboundRequest(Model):
    """The message `request_id` of `source` was answered. Rule 38: a redelivery adds no answer."""

    __tablename__ = "inbound_requests"

    source: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[UUID | None]
    """None for a request that was rejected."""
    answered_at: Mapped[datetime]
    external_id: Mapped[str | None]
    """Of a rejected one, what its sender calls the order, as far as that could be told."""
    errors: Mapped[list[Any] | None]
    """Of a rejected one, the first reasons, each with its field; None where they were not kept yet."""
    errors_total: Mapped[int | None]

    __table_args__ = (
        Index(
            "inbound_requests_rejected_ix",
            "answered_at",
            "source",
            "request_id",
            postgresql_where=text("order_id IS NULL"),
        ),
    )

    @classmethod
    def accepted(cls, source: str, request_id: str, order_id: UUID, *, now: datetime) -> "InboundRequest":
        return cls(
            source=source,
            request_id=request_id,
            order_id=order_id,
            answered_at=now,
            external_id=None,
            errors=None,
            errors_total=None,
        )

    @classmethod
    def rejected(
        cls, source: str, request_id: str, errors: Sequence[FieldError], *, external_id: str | None, now: datetime
    ) -> "InboundRequest":
        kept = [
            {"field": each.field[:CHARACTERS_KEPT_MAX], "reason": each.reason[:CHARACTERS_KEPT_MAX]}
            for each in errors[:ERRORS_KEPT_MAX]
        ]
        return cls(
            source=source,
            request_id=request_id,
            order_id=None,
            answered_at=now,
            external_id=external_id and external_id[:CHARACTERS_KEPT_MAX],
            errors=kept,
            errors_total=len(errors),
        )
