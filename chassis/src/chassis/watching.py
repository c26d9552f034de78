"""What operators watch, as gauges of this process: taken from the database, from files and from the clock."""

import asyncio
from datetime import datetime
from pathlib import Path

from cryptography import x509
from sqlalchemy import ColumnElement, Double, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import telemetry
from chassis.outbox import OutboxMessage
from chassis.parking import ParkedKey
from chassis.settings import ServiceSettings
from chassis.timers import Timer

LOOP_SECONDS = 0.5
"""Between two looks at how late the event loop is."""
POSITION = text("SELECT last_value FROM outbox_position_seq")
"""Of the sequence, not of the rows: those are forgotten after a while. A crash only lets it jump forward."""
STATE = text("""
    SELECT pg_database_size(current_database()) AS bytes,
           pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool AS is_read_only,
           coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), FALSE) AS is_archive_failing
    FROM pg_stat_archiver
""")
PUT_ASIDE = {
    False: (telemetry.PARKED_KEYS, telemetry.PARKED_AGE),
    True: (telemetry.WAITING_KEYS, telemetry.WAITING_AGE),
}
"""By whether a key waits for a fact, or for somebody."""


async def watch_backlogs(session: AsyncSession, service: str) -> None:
    """What waits, and for how long: every count is of what is pending, and costs nothing where nothing is."""
    count, age_seconds = await _pending(session)
    telemetry.OUTBOX_PENDING.labels(service).set(count)
    telemetry.OUTBOX_AGE.labels(service).set(age_seconds)
    telemetry.OUTBOX_POSITION.labels(service).set((await session.execute(POSITION)).scalar_one())
    for waits, (keys, age) in PUT_ASIDE.items():
        count, age_seconds = await _put_aside(session, waits=waits)
        keys.labels(service).set(count)
        age.labels(service).set(age_seconds)
    telemetry.TIMERS_OVERDUE.labels(service).set(await _overdue_seconds(session))


async def watch_database(session: AsyncSession, service: str, settings: ServiceSettings) -> None:
    """How large it is, whether it can be written, and whether its log gets to where it is kept."""
    state = (await session.execute(STATE)).one()
    telemetry.DATABASE_BYTES.labels(service).set(state.bytes)
    telemetry.DATABASE_BYTES_MAX.labels(service).set(settings.database_bytes_max)
    telemetry.DATABASE_READ_ONLY.labels(service).set(state.is_read_only)
    telemetry.ARCHIVE_FAILING.labels(service).set(state.is_archive_failing)


def watch_certificates(service: str, settings: ServiceSettings) -> None:
    """Until when those are good with which this process and its brokers know each other: of a file, the first end."""
    for name, file in (("ca", settings.kafka_ca_file), ("own", settings.kafka_certificate_file)):
        if file is not None:
            telemetry.CERTIFICATE_END.labels(service, name).set(_end_of(file).timestamp())


async def time_loop(service: str) -> None:
    """Until cancelled. Who waits for nothing comes back late when something else keeps the loop for itself."""
    loop = asyncio.get_running_loop()
    delay = telemetry.LOOP_DELAY.labels(service)
    while True:
        wanted = loop.time() + LOOP_SECONDS
        await asyncio.sleep(LOOP_SECONDS)
        delay.observe(max(loop.time() - wanted, 0.0))


async def _pending(session: AsyncSession) -> tuple[int, float]:
    pending = select(func.count(), _seconds_since(func.min(OutboxMessage.recorded_at)))
    return (await session.execute(pending.where(OutboxMessage.published_at.is_(None)))).one()


async def _put_aside(session: AsyncSession, *, waits: bool) -> tuple[int, float]:
    keys = select(func.count(), _seconds_since(func.min(ParkedKey.parked_at))).where(ParkedKey.waits.is_(waits))
    return (await session.execute(keys)).one()


async def _overdue_seconds(session: AsyncSession) -> float:
    pending = select(_seconds_since(func.min(Timer.due_at))).where(Timer.fired_at.is_(None), ~Timer.is_suspended)
    return max((await session.execute(pending)).scalar_one(), 0.0)


def _seconds_since(instant: ColumnElement[datetime]) -> ColumnElement[float]:
    """0 where there is nothing."""
    seconds = func.extract("epoch", func.clock_timestamp() - instant)
    return func.coalesce(cast(seconds, Double), 0.0)


def _end_of(file: Path) -> datetime:
    return min(each.not_valid_after_utc for each in x509.load_pem_x509_certificates(file.read_bytes()))
