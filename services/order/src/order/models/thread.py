"""The thread: everything that happened to an order, as it was published, in a chain of hashes."""

from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.delivery import Delivery
from order import thread
from order.models.model import Model
from order.models.order import Order


class ThreadEntry(Model):
    """A fact about the order, to the letter. Never `jsonb`: that would reorder its members and break the hash."""

    __tablename__ = "thread"

    order_id: Mapped[UUID] = mapped_column(ForeignKey(Order.order_id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(unique=True)
    type: Mapped[str]
    source: Mapped[str]
    time: Mapped[str]
    actor: Mapped[str]
    causation_id: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    hash: Mapped[str]

    @classmethod
    def append(cls, order: Order, fact: Delivery) -> "ThreadEntry":
        """The next entry of the order's thread, to be written, with the order's head moved onto it."""
        order.thread_head = thread.link(
            order.thread_head,
            event_id=fact.id,
            type=fact.type,
            source=fact.source,
            time=fact.time,
            actor=fact.actor,
            body=fact.body,
        )
        order.thread_length += 1
        return cls.unattached(
            order_id=order.order_id,
            position=order.thread_length,
            event_id=fact.id,
            type=fact.type,
            source=fact.source,
            time=fact.time,
            actor=fact.actor,
            causation_id=fact.causation_id,
            body=fact.body,
            hash=order.thread_head,
        )

    @property
    def body_sha256(self) -> str:
        return thread.sha256(self.body)
