"""Facts told by the notify service."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.event import Body, OrderEvent

Channel = Literal["email", "in_app"]


class Recipient(Body):
    """One person on one channel."""

    user_id: str
    channel: Channel


class NoticeGiven(OrderEvent):
    """Everyone concerned by one fact is told of it; never caused by a fact of this kind."""

    type: ClassVar[str] = "notice.given.v1"
    teller: ClassVar[str] = "notify"

    cause_id: UUID
    """The fact that they are told of."""
    cause_type: str
    recipients: tuple[Recipient, ...]
