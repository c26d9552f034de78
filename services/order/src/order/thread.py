"""The chain that makes an order's thread tamper-evident: every entry's hash covers the one before it."""

import hashlib
from collections.abc import Iterable
from typing import Protocol
from uuid import UUID


class Entry(Protocol):
    """What the chain covers of a fact, as the exact text that came."""

    position: int
    event_id: UUID
    type: str
    source: str
    time: str
    actor: str
    body: str
    hash: str


def first_previous(order_id: UUID) -> str:
    """What stands before the first entry, so that two orders never share a chain."""
    return sha256(str(order_id))


def link(previous: str, *, event_id: UUID, type: str, source: str, time: str, actor: str, body: str) -> str:
    """The hash of an entry: lower-case hex over UTF-8."""
    return sha256("\n".join([previous, str(event_id), type, source, time, actor, sha256(body)]))


def first_broken(order_id: UUID, entries: Iterable[Entry], *, length: int, head: str) -> int | None:
    """The position of the first entry that is not what was appended, or None when the thread is whole.

    `length` and `head` are kept apart from the entries: an entry cut off at the end breaks no link.
    """
    previous, position = first_previous(order_id), 0
    for position, entry in enumerate(entries, start=1):
        previous = link(
            previous,
            event_id=entry.event_id,
            type=entry.type,
            source=entry.source,
            time=entry.time,
            actor=entry.actor,
            body=entry.body,
        )
        if entry.position != position or entry.hash != previous:
            return position
    return None if (position, previous) == (length, head) else position + 1


def sha256(text: str) -> str:
    """Lower-case hex over UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
