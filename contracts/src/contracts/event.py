"""The base of every fact: immutable, named in the past tense, told by exactly one service.

On Kafka a fact is a CloudEvent 1.0 in binary mode. Its attributes are headers, written by the chassis:
`ce_specversion ce_id ce_type ce_source ce_time ce_subject ce_causationid ce_actor traceparent content-type`.
The value of the record is the JSON of the class below and nothing else.
"""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts import topics

Actor = Annotated[str, Field(pattern=r"^(user|client|system|integration):.+$")]
"""Who did it: an employee, a person at a client company, a service by itself, or a system outside."""


class Body(BaseModel):
    """A part of a fact. Fields that a newer teller added are ignored; none is ever removed."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )


class Event(Body):
    """A fact. A subclass says its name on the wire, its topic, and the only service that may tell it."""

    type: ClassVar[str]
    """With its version: `order.placed.v1`. Anything but a new optional field makes a v2."""
    topic: ClassVar[str]
    teller: ClassVar[str]


class OrderEvent(Event):
    """A fact about one order. Kafka keeps the facts of one order in the order in which they became true."""

    topic: ClassVar[str] = topics.ORDERS

    order_id: UUID
    """Also the record's key."""


class DirectoryEvent(Event):
    """A fact with the whole state of something that is not one order. Readers may meet it late, or twice."""

    topic: ClassVar[str] = topics.DIRECTORY

    @property
    def key(self) -> str:
        """What it is about: the newest fact of a key is the state of it."""
        raise NotImplementedError


class Labels(Body):
    """One name in both languages."""

    zh: str
    en: str
