"""Ids that we make ourselves and that sort by time."""

import secrets
import time
from uuid import UUID, uuid5


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits."""
    milliseconds, random = time.time_ns() // 1_000_000, secrets.randbits(74)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | random >> 62 << 64 | 0b10 << 62 | random & (1 << 62) - 1)


def id_from(namespace: UUID, name: str) -> UUID:
    """The same id for the same cause, however often it is made: a name-based UUID (version 5)."""
    return uuid5(namespace, name)
