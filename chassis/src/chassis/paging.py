"""Lists by cursor: the next page begins after the last row of this one, whatever was added meanwhile."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from chassis.errors import Refusal

T = TypeVar("T")

PAGE_ROWS = 50
PAGE_ROWS_MAX = 200


class MalformedCursor(Refusal): ...


class Page(BaseModel, Generic[T]):
    """Some rows, and the cursor of the next ones, if there are more."""

    items: list[T]
    next_cursor: str | None = None


class Cut:
    """Which part of a list is asked for: `limit` rows after `after`, the sort key of the last row seen."""

    def __init__(self, limit: int, after: list[Any] | None) -> None:
        self.limit = limit
        self.after = after

    def after_as(self, *readers: Callable[[str], Any]) -> tuple[Any, ...] | None:
        """`after`, each member of the sort key read by one of `readers`. Raises `MalformedCursor`."""
        if self.after is None:
            return None
        try:
            return tuple(_storable(read(str(member))) for read, member in zip(readers, self.after, strict=True))
        except ValueError as reason:
            raise MalformedCursor("Send the cursor as it was answered in next_cursor.") from reason

    def page(self, rows: Sequence[Any], key: Callable[[Any], list[Any]]) -> dict[str, Any]:
        """A `Page` of `rows`, of which one more than `limit` was asked for: if it is there, there are more."""
        shown = list(rows[: self.limit])
        more = len(rows) > self.limit
        return {"items": shown, "next_cursor": _encode(key(shown[-1])) if more else None}


def _storable(member: Any) -> Any:
    """What a database can compare with. Raises `ValueError`."""
    too_large = isinstance(member, int) and abs(member) >= 2**63
    no_text = isinstance(member, str) and b"\0" in member.encode()  # and lone surrogates raise
    no_instant = isinstance(member, datetime) and member.tzinfo is None
    if too_large or no_text or no_instant:
        raise ValueError(f"{member!r} is nothing that was answered")
    return member


def _encode(key: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, default=str).encode()).decode().rstrip("=")


def decode(cursor: str) -> list[Any]:
    """Raises `MalformedCursor`."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as reason:
        raise MalformedCursor("Send the cursor as it was answered in next_cursor.") from reason
    if not isinstance(key, list):
        raise MalformedCursor("Send the cursor as it was answered in next_cursor.")
    return key
