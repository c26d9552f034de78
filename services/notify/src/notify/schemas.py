"""HTTP bodies."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class NoticeOut(Out):
    """As its own reader sees it."""

    notice_id: UUID
    order_id: UUID
    cause_id: UUID
    cause_type: str
    locale: str
    subject: str
    text: str
    given_at: datetime
    read_at: datetime | None


class RecordedNoticeOut(NoticeOut):
    """As the team sees it: who was told, and whether it arrived."""

    user_id: str
    name: str | None
    """None while the person is not known."""
    channel: str
    status: str
    """In the app: given. By e-mail: waiting (no address yet), pending, sending, sent or failed."""
    sent_at: datetime | None
    attempts: int
    failure: str | None


class CountsOut(Out):
    """Notices recorded, by channel."""

    email: int = 0
    in_app: int = 0


class ReadOut(Out):
    read: int
    """How many were unread until now."""
