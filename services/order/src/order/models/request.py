"""Requests of systems outside: each is answered once, however often it comes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from order.models.model import Model


class InboundRequest(Model):
    """The message `request_id` of `source` was answered. Rule 38: a redelivery adds no answer."""

    __tablename__ = "inbound_requests"

    source: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[UUID | None]
    answered_at: Mapped[datetime]
