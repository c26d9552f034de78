"""What a service stands on, looked at from where it runs: for whoever deploys it, in words that say what to do."""

import asyncio
import difflib
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from sqlalchemy import func, select, text

from chassis.database import Database
from chassis.environment import PREFIX, SECRETS_FOLDER, variable
from chassis.outbox import OutboxMessage
from chassis.parking import ParkedKey
from chassis.settings import ServiceSettings
from chassis.tokens import Verifier
from contracts.topics import CATALOGUE

LOOK_SECONDS_MAX = 10.0
CLOCK_SECONDS_MAX = 2.0
OUTBOX_SECONDS_MAX = 60.0
CONNECTIONS_SHARE_MAX = 0.9
READ_MS = 300
NOT_AUTHORIZED = 29

Look = Callable[[], Awaitable[str]]
"""Says what it found, or raises `Unwell`."""


class Unwell(Exception):
    """What is wrong, and what to do about it."""


@dataclass(frozen=True)
class Finding:
    about: str
    is_well: bool
    says: str


async def diagnose(looks: Mapping[str, Look]) -> list[Finding]:
    """All at once, and none for longer than ten seconds."""
    return await asyncio.gather(*(_finding(about, look) for about, look in looks.items()))


async def _finding(about: str, look: Look) -> Finding:
    try:
        async with asyncio.timeout(LOOK_SECONDS_MAX):
            return Finding(about, True, await look())
    except Unwell as reason:
        return Finding(about, False, str(reason))
    except TimeoutError:
        return Finding(about, False, f"No answer within {LOOK_SECONDS_MAX:.0f} seconds.")
    except Exception as reason:
        return Finding(about, False, f"It does not answer as it should: {type(reason).__name__}: {reason}")


def looks_of(
    service: str, settings: ServiceSettings, database: Database, verifier: Verifier, *, sees_bus: bool
) -> dict[str, Look]:
    """What every service stands on. The bus is looked at by processes that are on it alone."""
    looks: dict[str, Look] = {
        "settings": lambda: _settings(type(settings)),
        "database": lambda: _database(database),
        "clock": lambda: _clock(database),
        "outbox": lambda: _outbox(database),
        "parked": lambda: _parked(database),
        "keys": lambda: _keys(settings, verifier),
    }
    return looks | ({"bus": lambda: _bus(service, settings)} if sees_bus else {})


async def _settings(settings_class: type[ServiceSettings]) -> str:
    known = [variable(name) for name in settings_class.model_fields] + [SECRETS_FOLDER]
    unread = [name for name in sorted(os.environ) if name.startswith(PREFIX) and name not in known]
    meant = {name: close[0] for name in unread if (close := difflib.get_close_matches(name, known, 1, 0.9))}
    if meant:
        raise Unwell(" ".join(f"No setting reads {name}: is {close} meant?" for name, close in meant.items()))
    return f"Read by no setting of this service: {', '.join(unread)}." if unread else "Every variable is read."


async def _database(database: Database) -> str:
    async with database.transaction() as session:
        found = (await session.execute(text(ABOUT_DATABASE))).one()
    if found.is_standby:
        raise Unwell(f"{variable('database_url')} leads to a standby, which takes no writes: name the primary.")
    if found.encoding != "UTF8":
        raise Unwell(f"The database is encoded in {found.encoding}: make it with UTF8.")
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        if getattr(found, name) == "off":
            raise Unwell(f"{name} is off: what was acknowledged can be lost. Switch it on.")
    if found.connections > found.connections_max * CONNECTIONS_SHARE_MAX:
        raise Unwell(
            f"{found.connections} of {found.connections_max} connections are taken: raise max_connections, "
            f"or lower {variable('connections_max')}."
        )
    taken = f"{found.connections} of {found.connections_max} connections"
    return f"PostgreSQL {found.version}, {found.size_bytes / 2**20:,.0f} MiB, {taken}."


ABOUT_DATABASE = """
    SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS is_standby,
        current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
        current_setting('full_page_writes') AS full_page_writes,
        current_setting('max_connections')::int AS connections_max,
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
        pg_encoding_to_char(encoding) AS encoding, pg_database_size(oid) AS size_bytes
    FROM pg_database WHERE datname = current_database()
"""


async def _clock(database: Database) -> str:
    async with database.transaction() as session:
        asked = time.time()
        theirs = float(await session.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0)
        answered = time.time()
    apart = max(asked - theirs, theirs - answered, 0.0)  # at least: theirs is of some moment between
    if apart > CLOCK_SECONDS_MAX:
        raise Unwell(f"This machine's clock and the database's are {apart:,.0f} seconds apart: set both by NTP.")
    return f"It and the database's are at most {apart + answered - asked:,.1f} seconds apart."


async def _outbox(database: Database) -> str:
    age = func.extract("epoch", func.clock_timestamp() - func.min(OutboxMessage.recorded_at))
    async with database.transaction() as session:
        unpublished = select(func.count(), age).where(OutboxMessage.published_at.is_(None))
        count, seconds = (await session.execute(unpublished)).one()
    if seconds and seconds > OUTBOX_SECONDS_MAX:
        raise Unwell(
            f"{count} facts wait to be published, the oldest for {seconds:,.0f} seconds: is a worker of this service "
            "running, and may it write to the bus?"
        )
    return f"{count} facts wait to be published."


async def _parked(database: Database) -> str:
    async with database.transaction() as session:
        count = await session.scalar(select(func.count()).select_from(ParkedKey).where(~ParkedKey.waits)) or 0
    if count:
        raise Unwell(f"{count} keys are parked: see `orderloom parked`.")
    return "Nothing is parked."


async def _keys(settings: ServiceSettings, verifier: Verifier) -> str:
    if not settings.jwks:
        raise Unwell(f"{variable('jwks')} names no keys: nobody who signs in is recognised.")
    count = await verifier.read_keys()
    if not count:
        raise Unwell(f"There is no key in {settings.jwks}: nobody who signs in is recognised.")
    return f"{count} in {settings.jwks}."


async def _bus(service: str, settings: ServiceSettings) -> str:
    """Whether it may write shows in the outbox alone: to try would be to write."""
    read = {settings.topic_prefix + topic.name for topic in CATALOGUE if service in topic.readers}
    written = {settings.topic_prefix + topic.name for topic in CATALOGUE if service in topic.writers}
    admin = AIOKafkaAdminClient(**settings.client_options)
    await admin.start()
    try:
        brokers = len((await admin.describe_cluster())["brokers"])
        seen = await admin.list_topics()  # first: some brokers make what is asked for by name
        if missing := sorted((read | written).difference(seen)):
            raise Unwell(f"Not there, or not ours to see: {', '.join(missing)}. See `orderloom topics` and `acls`.")
        topics = await admin.describe_topics(sorted(read | written))
    finally:
        await admin.close()
    _check_topics(topics)
    await _check_reading(settings, sorted(read), group=settings.topic_prefix + service)
    return f"{brokers} brokers; {len(topics)} topics are there, and those that are read may be read."


def _check_topics(topics: Iterable[Mapping[str, Any]]) -> None:
    for topic in topics:
        name, code = topic["topic"], topic["error_code"]
        if code == NOT_AUTHORIZED:
            raise Unwell(f"The topic {name} is not ours to see: grant DESCRIBE, see `orderloom acls`.")
        away = [each["partition"] for each in topic["partitions"] if each["leader"] < 0]
        if away:
            raise Unwell(f"Partitions {away} of {name} have no leader: too many brokers are away.")
        behind = [each["partition"] for each in topic["partitions"] if len(each["isr"]) < len(each["replicas"])]
        if behind:
            raise Unwell(f"Partitions {behind} of {name} are not on all their brokers: is one away?")


async def _check_reading(settings: ServiceSettings, topics: list[str], *, group: str) -> None:
    """As the worker reads, but without joining the group: nobody is disturbed."""
    consumer = AIOKafkaConsumer(**settings.client_options, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        for partition in (TopicPartition(topic, 0) for topic in topics):
            consumer.assign([partition])
            await consumer.committed(partition)
            await consumer.seek_to_end()
            await consumer.getmany(timeout_ms=READ_MS)
    except TopicAuthorizationFailedError as reason:
        raise Unwell(f"A topic is not ours to read ({reason}): grant READ, see `orderloom acls`.") from reason
    except GroupAuthorizationFailedError as reason:
        raise Unwell(f"The group {group} is not ours to use: grant READ on it, see `orderloom acls`.") from reason
    finally:
        await consumer.stop()
