"""Facts about what is not one order: clients, order types, users. Each time with the whole state."""

from typing import Any, ClassVar
from uuid import UUID

from contracts.event import Body, DirectoryEvent, Labels
from contracts.order import Term


class ClientRegistered(DirectoryEvent):
    """A client company is known, by its first order or by hand."""

    type: ClassVar[str] = "client.registered.v1"
    teller: ClassVar[str] = "order"

    client_id: UUID
    code: str
    name: str
    tax_id: str | None = None

    @property
    def key(self) -> str:
        return str(self.client_id)


class Stage(Body):
    """A stage ends by itself when every one of its `exits`, named facts, is true."""

    code: str
    name: Labels
    owner_role: str
    """Who is asked to act while an order stands in it."""
    exits: tuple[str, ...]


class MilestoneType(Body):
    """A milestone that every order of the type reaches."""

    code: str
    name: Labels


class OrderTypePublished(DirectoryEvent):
    """Orders keep the version that they were born with; new ones get the newest."""

    type: ClassVar[str] = "order_type.published.v1"
    teller: ClassVar[str] = "order"

    code: str
    version: int
    labels: Labels
    stages: tuple[Stage, ...]
    milestones: tuple[MilestoneType, ...]
    terms: tuple[Term, ...]
    fields_schema: dict[str, Any]
    """JSON Schema (draft 2020-12) of an order's `fields`."""
    client_visible_fields: tuple[str, ...]
    """Names of members of `fields`; the client sees no others."""

    @property
    def key(self) -> str:
        return self.code


class User(DirectoryEvent):
    """A person who may sign in: of the company, or of the client company `client_id`."""

    teller: ClassVar[str] = "gateway"

    user_id: str
    name: str
    email: str | None = None
    locale: str
    """The language of what is sent: `zh-CN` or `en`."""
    roles: tuple[str, ...]
    client_id: UUID | None = None
    """Of a person at a client company: the only one whose orders may be seen."""
    active: bool
    """Whether the person may sign in now."""

    @property
    def key(self) -> str:
        return self.user_id


class UserRegistered(User):
    """A person may sign in."""

    type: ClassVar[str] = "user.registered.v1"


class UserChanged(User):
    """Something about a person changed; the whole state is told again."""

    type: ClassVar[str] = "user.changed.v1"
