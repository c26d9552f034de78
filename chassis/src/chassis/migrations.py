"""Migrations are a step before a service starts. Two that start at once wait for each other."""

import asyncio
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from alembic import command, context, op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Column, Connection, Index, MetaData, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from chassis import idempotency, outbox, parking, rebuilding, received, timers
from chassis.database import ChassisModel

TABLES_COME_FROM = (idempotency, outbox, parking, rebuilding, received, timers)
"""Imported, so that `ChassisModel.metadata` knows every table."""

LOCK = 7_261
"""The advisory lock of whoever migrates a database."""


LOCK_POLL_SECONDS = 0.1
LOCK_TIMEOUT_SECONDS = 5
"""A step that waits longer for a table would make everyone else wait behind it: it fails, to be run again."""


def migrate(database_url: str, folder: Path) -> None:
    """Bring the database to the newest revision in `folder`; nothing happens when it is there already."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["database_url"] = database_url
    command.upgrade(config, "head")


def make_index(name: str, on: str) -> None:
    """In a migration: the index `name` on what follows `ON`, while others read and write the table.

    One that an interrupted attempt left half made is made anew. Everything else of the revision belongs before it.
    """
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}")


def run_in_environment(*metadatas: MetaData) -> None:
    """What a service's `env.py` calls: Alembic runs it for every command."""
    database_url = context.config.attributes.get("database_url") or context.get_x_argument(True)["url"]
    targets = [ChassisModel.metadata, *metadatas]
    asyncio.run(_on_connection(database_url, lambda connection: _upgrade(connection, targets)))


def statements(folder: Path) -> Iterator[tuple[Script, str]]:
    """Each revision in `folder`, the oldest first, with the SQL that it runs."""
    scripts = ScriptDirectory(folder)
    for script in reversed(list(scripts.walk_revisions())):
        written = StringIO()
        options = {"as_sql": True, "output_buffer": written, "literal_binds": True}
        with Operations.context(MigrationContext.configure(dialect_name="postgresql", opts=options)):
            script.module.upgrade()
        yield script, written.getvalue()


async def differences(database_url: str, *metadatas: MetaData) -> list[object]:
    """What the models have and the migrated database has not, or the other way round."""
    found: list[object] = []
    targets = [ChassisModel.metadata, *metadatas]
    await _on_connection(
        database_url,
        lambda connection: found.extend(compare_metadata(_comparing(connection), targets)),  # type: ignore[arg-type]
    )
    return found


def _comparing(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"include_object": _is_comparable})


def _is_comparable(thing: object, *_: object) -> bool:
    """An index of an expression comes back from PostgreSQL in other words: its migration is written by hand."""
    return not isinstance(thing, Index) or all(isinstance(each, Column) for each in thing.expressions)


def _upgrade(connection: Connection, targets: list[MetaData]) -> None:
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}):
        connection.commit()  # who waited inside a statement would hold up the making of an index concurrently
        time.sleep(LOCK_POLL_SECONDS)
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=targets,
        transaction_per_migration=True,
        include_object=_is_comparable,
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
        connection.commit()


async def _on_connection(database_url: str, work: object) -> None:
    engine = create_async_engine(database_url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(work)  # type: ignore[arg-type]
        await connection.commit()
    await engine.dispose()
