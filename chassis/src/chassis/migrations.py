"""Migrations are a step before a service starts. Two that start at once wait for each other."""

import asyncio
from pathlib import Path

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, Index, MetaData, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from chassis import idempotency, outbox, parking, received, timers
from chassis.database import ChassisModel

TABLES_COME_FROM = (idempotency, outbox, parking, received, timers)
"""Imported, so that `ChassisModel.metadata` knows every table."""

LOCK = 7_261
"""The advisory lock of whoever migrates a database."""


def migrate(database_url: str, folder: Path) -> None:
    """Bring the database to the newest revision in `folder`; nothing happens when it is there already."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["database_url"] = database_url
    command.upgrade(config, "head")


def run_in_environment(*metadatas: MetaData) -> None:
    """What a service's `env.py` calls: Alembic runs it for every command."""
    database_url = context.config.attributes.get("database_url") or context.get_x_argument(True)["url"]
    targets = [ChassisModel.metadata, *metadatas]
    asyncio.run(_on_connection(database_url, lambda connection: _upgrade(connection, targets)))


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
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
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
