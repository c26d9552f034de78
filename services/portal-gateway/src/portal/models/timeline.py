"""The timeline of an order: every fact about it, in the order in which they became true."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.delivery import Delivery
from contracts import topics
from portal.models.model import Model
from portal.models.order_view import OrderView


class TimelineEntry(Model):
    __tablename__ = "timeline"

    order_id: Mapped[UUID] = mapped_column(ForeignKey(OrderView.order_id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    """From 1, without gaps."""
    event_id: Mapped[UUID] = mapped_column(unique=True)
    type: Mapped[str]
    source: Mapped[str]
    time: Mapped[str]
    actor: Mapped[str]
    causation_id: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    """As it came: it is read again only when someone looks at it."""

    @classmethod
    def append(cls, view: OrderView, fact: Delivery) -> "TimelineEntry":
        """The next entry, to be written, which makes it the view's version."""
        view.version += 1
        return cls.unattached(
            order_id=view.order_id,
            position=view.version,
            event_id=fact.id,
            type=fact.type,
            source=fact.source,
            time=fact.time,
            actor=fact.actor,
            causation_id=fact.causation_id,
            body=fact.body,
        )

    @property
    def fact(self) -> Delivery:
        """As it came, without what no effect depends on."""
        headers = {
            "ce_id": str(self.event_id),
            "ce_type": self.type,
            "ce_source": self.source,
            "ce_time": self.time,
            "ce_actor": self.actor,
            "ce_causationid": self.causation_id,
        }
        return Delivery(topics.ORDERS, str(self.order_id), headers, self.body)

    @property
    def data(self) -> Any:
        """What the fact says. Of a type that nobody here knows, even a text that is no JSON is shown."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body
