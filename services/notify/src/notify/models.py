"""Orders as far as somebody is concerned by them, people, and the notices that they were given."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from chassis.database import COLUMN_TYPES, Row, new_metadata
from chassis.errors import NotFound, Undeliverable
from chassis.ids import new_id
from chassis.roots import Root
from contracts.directory import OrderTypePublished
from contracts.event import Labels, OrderEvent
from contracts.finance import InstalmentsPlanned
from contracts.notify import Channel
from contracts.order import OrderPlaced
from contracts.project import ProjectCreated, TaskReassigned
from notify.people import Person
from notify.texts import Words

CLAIM_SECONDS = 120
"""So long an e-mail belongs to the worker that sends it; then another may."""
BACKOFF_SECONDS, BACKOFF_SECONDS_MAX = 30, 3600
"""Before the second attempt, and before any."""


class OrderNotFound(NotFound): ...


class NoticeNotFound(NotFound): ...


class TaskNeverPlanned(Undeliverable):
    """A fact about a task that no project of the order has: it cannot be, in order."""


class Model(Row, DeclarativeBase):
    """The base of this service's own tables."""

    metadata = new_metadata()
    type_annotation_map = COLUMN_TYPES


@dataclass(frozen=True)
class KnownTask:
    """What the texts need of a task, and who answers for it: a person, or those who hold the role of its queue."""

    name: Labels
    assignee: str | None
    queue: str | None


class OrderAudience(Root, Model):
    """Whom an order concerns, and what texts say of it. The row is this service's root of the order."""

    __tablename__ = "order_audiences"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_no: Mapped[str]
    version: Mapped[int]
    title: Mapped[str]
    order_type: Mapped[str]
    type_version: Mapped[int]
    client_id: Mapped[UUID]
    client_name: Mapped[str]
    requester: Mapped[str]
    currency: Mapped[str]
    has_project: Mapped[bool]
    manager_id: Mapped[str | None]
    tasks: Mapped[dict[str, Any]]
    """By id."""
    instalments: Mapped[dict[str, Any]]
    """Amounts by id."""

    @classmethod
    def of(cls, placed: OrderPlaced) -> "OrderAudience":
        order = cls(order_id=placed.order_id, version=1, has_project=False, manager_id=None, tasks={}, instalments={})
        order.learn(placed)
        return order

    def learn(self, event: OrderEvent) -> None:
        """Take from `event` what later facts do not say again."""
        match event:
            case OrderPlaced():  # again, after it was rejected and edited
                self.order_no, self.title, self.requester = event.order_no, event.title, event.requester
                self.order_type, self.type_version = event.order_type, event.type_version
                self.client_id, self.client_name = event.client.id, event.client.name
                self.currency = event.currency
            case ProjectCreated():
                self.has_project, self.manager_id = True, event.manager.id if event.manager else None
                self.tasks = {
                    str(task.id): {
                        "name": task.name.model_dump(),
                        "assignee": task.assignee.id if task.assignee else None,
                        "queue": task.queue,
                    }
                    for task in event.tasks
                }
            case TaskReassigned():
                self.task(event.task_id)
                reassigned = self.tasks[str(event.task_id)] | {"assignee": event.to_person.id, "queue": None}
                self.tasks = self.tasks | {str(event.task_id): reassigned}
            case InstalmentsPlanned():
                self.instalments = {str(each.id): f"{each.amount:f}" for each in event.instalments}

    def task(self, task_id: UUID) -> KnownTask:
        """Raises `TaskNeverPlanned`."""
        if str(task_id) not in self.tasks:
            raise TaskNeverPlanned(f"Order {self.order_no} has no task {task_id}.")
        known = self.tasks[str(task_id)]
        return KnownTask(Labels(**known["name"]), known["assignee"], known["queue"])


class Recipient(Model):
    """A person, as the directory last told of them."""

    __tablename__ = "recipients"

    user_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None]
    locale: Mapped[str]
    roles: Mapped[list[Any]]
    client_id: Mapped[UUID | None]
    active: Mapped[bool]


class OrderType(Model):
    """One version of an order type: its stages, their owners and its milestones have names."""

    __tablename__ = "order_types"

    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]

    @property
    def published(self) -> OrderTypePublished:
        """As it was told to everyone."""
        return OrderTypePublished.model_validate(self.document)


class NoticeStatus(StrEnum):
    GIVEN = "given"
    """In the app: it is there to be read."""
    WAITING = "waiting"
    """An e-mail to a person whose address is not known yet."""
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    """The address was refused for good."""


class Notice(Model):
    """One person was told of one fact on one channel, in these words."""

    __tablename__ = "notices"

    notice_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    """No foreign key: a notice is only written under its root's lock, and an order has dozens."""
    cause_id: Mapped[UUID]
    """The fact."""
    cause_type: Mapped[str]
    user_id: Mapped[str]
    channel: Mapped[str]
    locale: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    status: Mapped[str]
    given_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    attempts: Mapped[int]
    not_before: Mapped[datetime]
    """An e-mail is left alone until then: it is being sent, or was refused a moment ago."""
    failure: Mapped[str | None]
    """What the mail server last said against it."""
    enclosed_in: Mapped[UUID | None]
    """The notice in whose e-mail it leaves."""

    __table_args__ = (
        UniqueConstraint("cause_id", "user_id", "channel"),
        Index("notices_order_id_given_at_ix", "order_id", "given_at"),
        Index("notices_own_ix", "user_id", "given_at", postgresql_where=sql("channel = 'in_app'")),
        Index("notices_outgoing_ix", "not_before", postgresql_where=sql("status IN ('pending', 'sending')")),
        Index(
            "notices_enclosed_ix",
            "enclosed_in",
            postgresql_where=sql("enclosed_in IS NOT NULL AND status IN ('pending', 'sending')"),
        ),
        Index("notices_waiting_ix", "user_id", postgresql_where=sql("status = 'waiting'")),
    )

    @classmethod
    def give(
        cls,
        person: Person,
        channel: Channel,
        words: Words,
        *,
        order_id: UUID,
        cause_id: UUID,
        cause_type: str,
        now: datetime,
    ) -> "Notice":
        status = NoticeStatus.PENDING if person.has_address else NoticeStatus.WAITING
        return cls.unattached(
            notice_id=new_id(),
            order_id=order_id,
            cause_id=cause_id,
            cause_type=cause_type,
            user_id=person.user_id,
            channel=channel,
            locale=words.locale,
            subject=words.subject,
            text=words.text,
            status=NoticeStatus.GIVEN if channel == "in_app" else status,
            given_at=now,
            sent_at=None,
            read_at=None,
            attempts=0,
            not_before=now,
            failure=None,
            enclosed_in=None,
        )

    @property
    def may_have_left(self) -> bool:
        """Whether it was begun to be sent, or was in the hands of a worker that was never heard of again."""
        return self.attempts > 0 or self.status == NoticeStatus.SENDING

    def read(self, *, now: datetime) -> None:
        """The first time counts."""
        self.read_at = self.read_at or now

    def claim(self, *, now: datetime, enclosed_in: UUID | None) -> None:
        """Until the claim runs out, only the claimant sends it. `letters.claim` writes it down, with all others."""
        set_committed_value(self, "status", NoticeStatus.SENDING)
        set_committed_value(self, "not_before", now + timedelta(seconds=CLAIM_SECONDS))
        set_committed_value(self, "enclosed_in", enclosed_in)

    def begin(self) -> None:
        """From now on it may have arrived, whatever is heard of it."""
        self.attempts += 1

    def send(self, *, now: datetime) -> None:
        """The mail server has taken it."""
        self.status, self.sent_at, self.failure = NoticeStatus.SENT, now, None

    def put_back(self, *, now: datetime) -> None:
        """Its turn did not come: the mail server went away before."""
        self.status, self.not_before = NoticeStatus.PENDING, now
        self.enclosed_in = self.enclosed_in if self.may_have_left else None

    def try_later(self, reason: str, *, now: datetime) -> None:
        """After each attempt, twice as late as after the one before, up to an hour; for ever."""
        seconds = min(BACKOFF_SECONDS * 2 ** min(self.attempts - 1, 10), BACKOFF_SECONDS_MAX)
        self.status, self.not_before, self.failure = NoticeStatus.PENDING, now + timedelta(seconds=seconds), reason

    def fail(self, reason: str) -> None:
        """Refused for good: to try again would be refused again."""
        self.status, self.failure = NoticeStatus.FAILED, reason
