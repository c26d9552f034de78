"""Counts what is asked of PostgreSQL, whoever asks: statements and transactions, by database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event


@dataclass
class Counted:
    """What was asked inside the block, in order, the text of each statement for who wants to know which."""

    statements: list[str] = field(default_factory=list)
    transactions: int = 0


@contextmanager
def counting() -> Iterator[Counted]:
    """Of every engine in this process. `BEGIN` and `COMMIT` are counted as a transaction and not as statements."""
    counted = Counted()

    def note_statement(_: Connection, __: Any, statement: str, *___: Any) -> None:
        counted.statements.append(" ".join(statement.split()))

    def note_transaction(_: Connection) -> None:
        counted.transactions += 1

    event.listen(Engine, "before_cursor_execute", note_statement)
    event.listen(Engine, "begin", note_transaction)
    try:
        yield counted
    finally:
        event.remove(Engine, "before_cursor_execute", note_statement)
        event.remove(Engine, "begin", note_transaction)
