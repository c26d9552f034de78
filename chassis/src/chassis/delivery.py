"""A record of the bus, read so far that it can be recognised, dropped as a duplicate, or parked; body untouched."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from uuid import UUID

from aiokafka import ConsumerRecord

from chassis.errors import Undeliverable
from contracts import topics
from contracts.catalogue import EVENTS


@dataclass(frozen=True)
class Delivery:
    """One fact as it came. Everything is text, so it can be kept anywhere and applied later."""

    topic: str
    """Without the deployment's prefix."""
    key: str
    headers: dict[str, str]
    body: str
    """The exact text that was published."""

    @cached_property
    def id(self) -> UUID:
        return UUID(self.headers["ce_id"])

    @property
    def type(self) -> str:
        return self.headers["ce_type"]

    @property
    def source(self) -> str:
        return self.headers["ce_source"]

    @property
    def time(self) -> str:
        return self.headers["ce_time"]

    @property
    def actor(self) -> str:
        return self.headers["ce_actor"]

    @property
    def causation_id(self) -> str:
        return self.headers.get("ce_causationid", "")

    @cached_property
    def order_id(self) -> UUID:
        """On `orders` only."""
        return UUID(self.key)

    @cached_property
    def told_at(self) -> datetime | None:
        """`time` as an instant, where it is one."""
        try:
            instant = datetime.fromisoformat(self.time)
        except ValueError:
            return None
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Letter:
    """A message of a system outside, exactly as it came: nothing about it is known to be right."""

    topic: str
    key: str
    headers: dict[str, str]
    value: bytes

    @classmethod
    def of(cls, record: ConsumerRecord, *, topic: str) -> "Letter":
        return cls(topic, _shown(record.key or b""), _headers(record), record.value or b"")


BODY_KEPT_BYTES_MAX = topics.BODY_BYTES_MAX // 2
"""Of a dead letter; what was parked is whole in its table."""
WRITERS = {topic.name: topic.writers for topic in topics.CATALOGUE}
REQUIRED_HEADERS = ("ce_id", "ce_type", "ce_source", "ce_time", "ce_actor")


def read(record: ConsumerRecord, *, topic: str) -> Delivery:
    """The delivery in `record`. Raises `Undeliverable` for what no later attempt could read or trust."""
    headers = _headers(record)
    if missing := [name for name in REQUIRED_HEADERS if not headers.get(name)]:
        raise Undeliverable(f"It lacks {', '.join(missing)}.")
    if any("\n" in headers[name] for name in REQUIRED_HEADERS):
        raise Undeliverable("Its envelope holds a line break: the thread's hash is over lines.")
    if record.value is None:
        raise Undeliverable("It has no body.")
    try:
        delivery = Delivery(topic, _text(record.key or b""), headers, _text(record.value))
        ids = {headers["ce_id"]: delivery.id} | ({delivery.key: delivery.order_id} if topic == topics.ORDERS else {})
    except ValueError as reason:
        raise Undeliverable(f"Its id, key or body cannot be read: {reason}") from reason
    if any(written != str(id) for written, id in ids.items()):
        raise Undeliverable("Its id or key is not written as a UUID is: one order would have two keys.")
    _must_be_told_by_who_may(delivery)
    return delivery


def _must_be_told_by_who_may(delivery: Delivery) -> None:
    """A fact by its only teller, on its topic; one that is not known here yet, by a service that writes there."""
    known = EVENTS.get(delivery.type)
    if known is None and delivery.source not in WRITERS.get(delivery.topic, ()):
        raise Undeliverable(f"{delivery.source} is none of those who write on {delivery.topic}.")
    if known is not None and delivery.source != known.teller:
        raise Undeliverable(f"{delivery.type} is told by {known.teller}, not by {delivery.source}.")
    if known is not None and delivery.topic != known.topic:
        raise Undeliverable(f"{delivery.type} is told on {known.topic}: whoever put it here may not write there.")


def _headers(record: ConsumerRecord) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers}  # the parser made them text


def _shown(value: bytes) -> str:
    """For people and keys: what is no text is shown as U+FFFD."""
    return value.decode("utf-8", "replace").replace("\0", "\ufffd")


def _text(value: bytes) -> str:
    """What PostgreSQL can keep as text: UTF-8 without NUL."""
    if b"\0" in value:
        raise ValueError("a NUL is not text")
    return value.decode()


@dataclass(frozen=True)
class DeadLetter:
    """A record that cannot be applied, with the reason and its bytes, up to a limit that leaves room for the rest."""

    topic: str
    """On which it came."""
    key: str
    type: str
    body: str

    @classmethod
    def of_record(cls, record: ConsumerRecord, reason: Undeliverable) -> "DeadLetter":
        return cls._wrapping(record.topic, _shown(record.key or b""), _headers(record), record.value or b"", reason)

    @classmethod
    def of_letter(cls, letter: Letter, reason: BaseException) -> "DeadLetter":
        return cls._wrapping(letter.topic, letter.key, letter.headers, letter.value, reason)

    @classmethod
    def of_delivery(cls, delivery: Delivery, reason: BaseException) -> "DeadLetter":
        return cls._wrapping(delivery.topic, delivery.key, delivery.headers, delivery.body.encode(), reason)

    @classmethod
    def _wrapping(
        cls, topic: str, key: str, headers: dict[str, str], value: bytes, reason: BaseException
    ) -> "DeadLetter":
        document = {
            "reason": f"{type(reason).__name__}: {reason}",
            "topic": topic,
            "key": key,
            "headers": headers,
            "body_base64": base64.b64encode(value[:BODY_KEPT_BYTES_MAX]).decode(),
            "body_bytes": len(value),
        }
        return cls(topic, key, headers.get("ce_type") or "unknown", json.dumps(document))
