"""One request or one batch of events is one transaction, opened and closed here and nowhere else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Self

from pydantic_core import from_json
from sqlalchemy import TIMESTAMP, MetaData, Numeric, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.interfaces import AdaptedConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session, class_mapper

from chassis import telemetry
from chassis.errors import sqlstate
from chassis.flush import OneStatementSession

COLUMN_TYPES: dict[Any, Any] = {
    datetime: TIMESTAMP(timezone=True),
    Decimal: Numeric(),
    dict[str, str]: JSONB(none_as_null=True),
    dict[str, Any]: JSONB(none_as_null=True),
    list[Any]: JSONB(none_as_null=True),
}
"""Instants are UTC with their zone. Decimals come back with the very digits that went in: no scale of our own."""

POOL_TIMEOUT_SECONDS = 5
CONNECT_TIMEOUT_SECONDS = 5
SERVER_SETTINGS = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
}
"""Nothing waits for ever. These statements are too short to be worth compiling, or sharing among processes."""

for each in ("25006", "53100", "53200", "53300"):  # only reads; disk, memory or connections are used up
    telemetry.DATABASE_FAILURES.labels(each)  # there before the first, so that the first is an increase

RECORDED = "facts recorded"
"""Set in `session.info` by the outbox: this commit gives the relay work."""

OUTDATED = "outdated"
"""In `session.info`, what of `shared` this commit makes old."""


def new_metadata() -> MetaData:
    """Constraints named by convention, so that a migration can name them. Each service has a metadata of its own."""
    return MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s_ix",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )


class Row:
    """Mixin of every declarative base: constructing a row costs a tenth, since a new row has no history to keep."""

    def __init__(self, **values: Any) -> None:
        """Raises `TypeError` for what is no column."""
        self._set(values)

    @classmethod
    def unattached(cls, **values: Any) -> Self:
        """A row for `chassis.flush.write`, which no session may know and whose values nobody may set.

        Raises `TypeError` for what is no column.
        """
        row = cls.__new__(cls)
        row._set(values)
        return row

    def _set(self, values: dict[str, Any]) -> None:
        if unknown := values.keys() - _attributes_of(type(self)):  # type: ignore[arg-type]  # a class has a hash
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}.")
        self.__dict__.update(values)


@cache
def _attributes_of(row_class: type[Any]) -> frozenset[str]:
    return frozenset(class_mapper(row_class).column_attrs.keys())


class ChassisModel(Row, DeclarativeBase):
    """The base of the tables that are the same in every service's database: outbox, inbox, parking, timers."""

    metadata = new_metadata()
    type_annotation_map = COLUMN_TYPES


class Database:
    """A service's database: a pool, its transactions, and the signal that wakes the relay of this process."""

    def __init__(
        self,
        url: str,
        *,
        connections_max: int = 10,
        one_statement_flush: bool = True,
        facts_recorded: asyncio.Event | None = None,
        shared: dict[Any, Any] | None = None,
    ) -> None:
        self.url = url
        self.facts_recorded = facts_recorded or asyncio.Event()
        self.shared = {} if shared is None else shared
        """What transactions of this process remember for each other: see `chassis.cached`."""
        self._engine = create_async_engine(
            url,
            pool_size=connections_max,
            max_overflow=0,
            json_deserializer=from_json,  # in half the time of `json.loads`
            hide_parameters=True,  # of a statement that failed: what people wrote does not belong into a log
            pool_timeout=POOL_TIMEOUT_SECONDS,
            connect_args={"server_settings": SERVER_SETTINGS, "timeout": CONNECT_TIMEOUT_SECONDS},
        )
        event.listen(self._engine.sync_engine, "connect", _read_decimals_digit_by_digit)
        self._one_statement_flush = one_statement_flush
        self._sessions = async_sessionmaker(
            self._engine,
            autoflush=False,  # a query would flush the half-built objects of a batch
            expire_on_commit=False,
            sync_session_class=OneStatementSession if one_statement_flush else Session,
        )

    def with_pool_of_its_own(self, connections_max: int) -> "Database":
        """The same database for a worker, so that neither waits for the other's connections."""
        return Database(
            self.url,
            connections_max=connections_max,
            one_statement_flush=self._one_statement_flush,
            facts_recorded=self.facts_recorded,
            shared=self.shared,
        )

    @asynccontextmanager
    async def transaction(self, cause: object = None) -> AsyncIterator[AsyncSession]:
        """Commit what the block did, or nothing of it if it raises; then wake the relay if a fact was recorded.

        `cause` is the `outbox.Cause` of the facts recorded in the block, where it is known at its start.
        """
        async with self._sessions(info={"cause": cause, "shared": self.shared}) as session:
            try:
                async with session.begin():
                    yield session
            except DBAPIError as failure:
                telemetry.DATABASE_FAILURES.labels(sqlstate(failure)).inc()
                raise
            if session.info.get(RECORDED):
                self.facts_recorded.set()
            for key in session.info.get(OUTDATED, ()):
                self.shared.pop(key, None)

    async def close(self) -> None:
        await self._engine.dispose()


def _read_decimals_digit_by_digit(connection: AdaptedConnection, record: object) -> None:
    """In its binary form asyncpg reads 300000 as 3.0E+5, which has not the digits that were written."""
    connection.run_async(
        lambda driver: driver.set_type_codec(
            "numeric", schema="pg_catalog", encoder=str, decoder=Decimal, format="text"
        )
    )
