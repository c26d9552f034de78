"""Ids that we make ourselves and that sort by time."""

import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID, uuid5

RANDOM_BITS = 74
HASH_BITS = 62
"""Of an id that follows from a fact. The twelve bits before them count, so that such ids sort as they were made."""
COUNT_MAX = (1 << RANDOM_BITS - HASH_BITS) - 1
Made = Iterator[UUID]
_following: ContextVar[Made | None] = ContextVar("following", default=None)


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits. Inside `following`, the next."""
    following = _following.get()
    return id_of_now() if following is None else next(following)


def id_of_now() -> UUID:
    """As `new_id`, of this moment everywhere: for rows that lists go by, and that no fact tells of."""
    return _of_version_7(time.time_ns() // 1_000_000, secrets.randbits(RANDOM_BITS))


@contextmanager
def following(cause: UUID, name: str) -> Iterator[None]:
    """Inside, ids follow from `cause`, have its time, and are the same ones whenever `name` does the same again.

    So what a service does about a fact has the same ids when its database was restored and it reads the fact again.
    """
    token = _following.set(_ids_of(cause, name))
    try:
        yield
    finally:
        _following.reset(token)


def id_from(namespace: UUID, name: str) -> UUID:
    """The same id for the same cause, however often it is made: a name-based UUID (version 5)."""
    return uuid5(namespace, name)


def _ids_of(cause: UUID, name: str) -> Made:
    seed, milliseconds, count = hashlib.sha256(cause.bytes + name.encode()), cause.int >> 80, 0
    while True:
        each, count = seed.copy(), count + 1
        each.update(count.to_bytes(8))
        hashed = int.from_bytes(each.digest()) & (1 << HASH_BITS) - 1
        yield _of_version_7(milliseconds, min(count, COUNT_MAX) << HASH_BITS | hashed)


def _of_version_7(milliseconds: int, random: int) -> UUID:
    return UUID(int=milliseconds << 80 | 0x7 << 76 | random >> 62 << 64 | 0b10 << 62 | random & (1 << 62) - 1)
