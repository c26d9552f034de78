"""Passwords, kept as Argon2id hashes (RFC 9106) with the parameters that OWASP advises."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

CHARACTERS_MIN = 8
CHARACTERS_MAX = 200

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # KiB


async def hashed(password: str) -> str:
    """What is kept of it. Takes some 20 ms, in a thread."""
    return await asyncio.to_thread(_hasher.hash, password)


async def is_right(password: str, password_hash: str | None) -> bool:
    """Takes as long for someone who has no password, or does not exist."""
    matches = await asyncio.to_thread(_matches, password, password_hash or _nobodys_hash())
    return matches and password_hash is not None


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("nobody's")
