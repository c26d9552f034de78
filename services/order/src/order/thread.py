"""The chain that makes an order's thread tamper-evident: every entry's hash covers the one before it."""

import hashlib
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


class Proof:
    """Reads the entries of one thread in order, one at a time, and finds the first that is not what was appended."""

    def __init__(self, order_id: UUID) -> None:
        self._position = 0
        self._previous = first_previous(order_id)
        self._broken: int | None = None

    def read(self, entry: Entry) -> None:
        """The next one."""
        if self._broken is not None:
            return
        self._position += 1
        self._previous = link(
            self._previous,
            event_id=entry.event_id,
            type=entry.type,
            source=entry.source,
            time=entry.time,
            actor=entry.actor,
            body=entry.body,
        )
        if entry.position != self._position or entry.hash != self._previous:
            self._broken = self._position

    def first_broken(self, *, length: int, head: str) -> int | None:
        """Its position, or None when the thread is whole.

        `length` and `head` are kept apart from the entries: an entry cut off at the end breaks no link.
        """
        if self._broken is not None or (self._position, self._previous) == (length, head):
            return self._broken
        return self._position + 1


def sha256(text: str) -> str:
    """Lower-case hex over UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
