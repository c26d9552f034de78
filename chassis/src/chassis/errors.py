"""What can go wrong, by whose fault it is. Each refusal lives in the module that raises it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import exc


@dataclass(frozen=True)
class FieldError:
    """One thing that is wrong. `field` is a JSON Pointer (RFC 6901), empty for the whole."""

    field: str
    reason: str


def pointer(location: Sequence[str | int]) -> str:
    """The JSON Pointer of a member. A lone surrogate, which no answer could carry, is shown as U+FFFD."""
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return "".join(f"/{part}" for part in escaped).encode("utf-8", "surrogatepass").decode("utf-8", "replace")


class HasErrors(Protocol):
    """A validation error of pydantic, or FastAPI's own form of it."""

    def errors(self) -> Sequence[Any]: ...


def field_errors(invalid: HasErrors, *, skip: int = 0) -> list[FieldError]:
    """Where a body is wrong, and why; `skip` leaves that many members of each location out."""
    return [
        FieldError(pointer(error["loc"][skip:]), error["msg"].removeprefix("Value error, "))
        for error in invalid.errors()
    ]


class Refusal(Exception):
    """The request or event was understood and will not be done; the message says what to do about it."""

    status = 400
    retry_after_seconds = 1
    """Said with 429 and 503."""

    def __init__(self, message: str, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class Invalid(Refusal):
    """What was sent is wrong in itself; `errors` say where."""

    status = 422


class NotFound(Refusal):
    status = 404


class Conflict(Refusal):
    status = 409


class Forbidden(Refusal):
    status = 403


class TooLarge(Refusal):
    status = 413


class NotYetKnown(Exception):
    """Something that this needs has not been heard of here yet. It is tried again for ever; no other key waits."""


class Undeliverable(Exception):
    """A record that no one can ever apply: it goes to the dead letters and holds up nothing behind it."""


UNSTORABLE_SQLSTATES = ("22021", "22P05")
"""A NUL, which no text in PostgreSQL holds."""
TRANSIENT_SQLSTATES = ("08", "25006", "28", "3D", "40", "53", "55000", "55P03", "57")
"""Connection lost, or refused: to this user, to this database, to all; a server that only reads, as one does that was
the first before a failover; serialization and deadlock, out of resources, lock timeout, cancelled or shutting down.
What an operator has to mend is no message's fault."""


def is_transient(reason: BaseException) -> bool:
    """Whether `reason` is nobody's fault and goes away by itself: never counted, never parked, retried for ever."""
    if isinstance(reason, NotYetKnown):
        return True
    if isinstance(reason, exc.DBAPIError) and reason.connection_invalidated:
        return True
    return sqlstate(reason).startswith(TRANSIENT_SQLSTATES) or isinstance(
        reason, OSError | TimeoutError | exc.TimeoutError
    )


def is_unstorable(reason: BaseException) -> bool:
    """Whether somebody wrote what no database could keep or look for, and no schema has noticed."""
    return sqlstate(reason) in UNSTORABLE_SQLSTATES


def sqlstate(reason: BaseException) -> str:
    """PostgreSQL's code for what went wrong, wrapped or not; empty where it is none of PostgreSQL's."""
    return getattr(getattr(reason, "orig", reason), "sqlstate", None) or ""
