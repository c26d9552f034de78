"""What a service keeps of the facts of others, all of which can be made again from the archive."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, class_mapper

from chassis.consumers import Consumers
from chassis.delivery import Delivery
from chassis.roots import Root

ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Known:
    """What a read model says of one order."""

    count: int = 0
    """How many facts it says it is made of; 0 where it has nothing of the order."""
    facts: Sequence[Delivery] = ()
    """Those of them that it still has, in the order in which it applied them."""


@dataclass(frozen=True, kw_only=True)
class ReadModel:
    """Tables that hold nothing but what `consumer` makes of the facts on `orders`."""

    consumer: Consumers
    root: type[Root]
    """Its table's rows are never deleted: whoever waits for the lock of one would find nobody's order."""
    parts: Sequence[type[DeclarativeBase]]
    """The other tables, each with an `order_id`, in the order in which an order is forgotten."""
    known: Callable[[AsyncSession, UUID], Awaitable[Known]]

    @property
    def tables(self) -> list[Table]:
        return [table_of(each) for each in (self.root, *self.parts)]


@dataclass
class Checksum:
    """The same as before if and only if every row of every table is."""

    rows: dict[str, int] = field(default_factory=dict)
    """By table."""
    sha256: str = ""


async def checksum(session: AsyncSession, model: ReadModel, order_id: UUID | None = None) -> Checksum:
    """Of the whole model, or of one order in it; row by row in the order of the keys."""
    found, digest = Checksum(), hashlib.sha256()
    for table in model.tables:
        row_hash = func.md5(literal_column(f'"{table.name}"::text'))  # every column, in the order of the table
        rows = select(row_hash).select_from(table).order_by(*table.primary_key)
        if order_id is not None:
            rows = rows.where(table.c.order_id == order_id)
        found.rows[table.name] = 0
        digest.update(f"{table.name}\n".encode())
        async for (line,) in await session.stream(rows, execution_options={"yield_per": ROWS_AT_ONCE}):
            found.rows[table.name] += 1
            digest.update(f"{line}\n".encode())
    found.sha256 = digest.hexdigest()
    return found


def table_of(model: type[Any]) -> Table:
    table = class_mapper(model).local_table
    assert isinstance(table, Table)
    return table
