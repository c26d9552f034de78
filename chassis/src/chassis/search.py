"""A list narrowed down by a part of a text, for a price that does not grow with the archive.

Who looks for what many rows have finds a page of it among the newest rows. What is rarer than that is found through an
index of the texts' trigrams, which PostgreSQL has without any extension.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, Text, Uuid, bindparam, cast, func, literal, literal_column
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

R = TypeVar("R")

NEWEST_ROWS = 1_000
"""Looked through before the index is asked."""
INDEXED_LENGTH_MIN = 3
"""A shorter text has no trigram: for it, all rows are looked through, the newest first, until a page is full."""
LINE_END, NOTHING = (bindparam(None, value, Text, literal_execute=True) for value in ("\n", ""))
"""Constants in the statement, as in the index. No search holds a line end, so nothing found spans two columns."""
OLDEST_ID = literal_column("'00000000-0000-0000-0000-000000000000'::uuid", Uuid)


def searched(*columns: Any) -> ColumnElement[str]:
    """What a search looks in. Its `trigrams` are what the index is made of, so both have to be written by this."""
    first, *others = (func.coalesce(column, NOTHING, type_=Text) for column in columns)
    text: ColumnElement[str] = first
    for other in others:
        text = text.concat(LINE_END).concat(other)
    return func.lower(text, type_=Text)


def trigrams(text: ColumnElement[str]) -> ColumnElement[Any]:
    """Every three letters that follow each other. The function is made by the migrations of who searches."""
    return func.trigrams(text, type_=ARRAY(Text))


async def newest_with(
    session: AsyncSession, rows: Select[R], *, key: Any, text: ColumnElement[str], part: str, limit: int
) -> Sequence[R]:
    """The `limit` newest of `rows`, by the id `key`, whose `text` has `part` in it, small letters or large."""
    wanted = text.like(literal("%").concat(func.lower(_escaped(part))).concat("%"), escape="/")
    page = rows.where(wanted).order_by(key.desc()).limit(limit)
    if len(part) < INDEXED_LENGTH_MIN:
        return (await session.scalars(page)).all()
    oldest = rows.with_only_columns(key).order_by(key.desc()).offset(NEWEST_ROWS - 1).limit(1).scalar_subquery()
    found = (await session.scalars(page.where(key >= func.coalesce(oldest, OLDEST_ID)))).all()
    if len(found) < limit:
        in_index = trigrams(text).contains(trigrams(func.lower(cast(part, Text))))
        found = (await session.scalars(page.where(in_index))).all()
    return found


def _escaped(part: str) -> str:
    for sign in "/%_":
        part = part.replace(sign, f"/{sign}")
    return part
