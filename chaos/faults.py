"""The faults: each does its harm, ends it, and says what it did."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from chaos import clock, disk, newer
from chaos.trial import Trial
from chassis import failpoints
from chassis.clock import utc_now
from chassis.ids import new_id
from contracts import topics
from contracts.topics import SERVICES
from orderloom.ports import WORKERS

FAILPOINT_SECONDS = 20.0
STOPPED_SECONDS = 9.0
"""Longer than a consumer's session: its partitions go to nobody else here, and come back to a process that was away."""
REFUSED_SECONDS = 30.0
MAIL_SECONDS = 15.0
CUT_SECONDS = 20.0
FULL_SECONDS = 15.0
AHEAD_DAYS = 31
"""Over every timer of a month; the second jump of a long trial is over the end of the year."""
POLL_SECONDS = 0.05
BIG_BYTES = 10 * 1024 * 1024
READ_SECONDS = 60.0
WAS_DOWN = "it was down already"
AT_ONCE = 200


@dataclass(frozen=True)
class Fault:
    name: str
    do: Callable[[Trial], Awaitable[str]]
    """Returns what there is to say beside the name."""


def everything() -> list[Fault]:
    """Each fault of the table that concerns what is built."""
    parts = (*SERVICES, *WORKERS)
    points = [
        (service, point)
        for service in SERVICES
        for point in failpoints.POINTS
        if (service, point) != ("notify", failpoints.BEFORE_ANSWER)  # reading a notice is all it answers
    ]
    return [
        *(Fault(f"kill -9 {part}", _signal(part, signal.SIGKILL)) for part in (*parts, "postgres", "kafka", "mail")),
        *(Fault(f"{part} told to end", _signal(part, signal.SIGTERM)) for part in parts),
        *(Fault(f"{service} dies {point}", _die_at(service, point)) for service, point in points),
        *(Fault(f"{worker} stopped for {STOPPED_SECONDS:.0f} s", _stop(worker, STOPPED_SECONDS)) for worker in WORKERS),
        Fault(f"mail stopped for {MAIL_SECONDS:.0f} s", _stop("mail", MAIL_SECONDS)),
        *(
            Fault(f"{part} answers nobody for {CUT_SECONDS:.0f} s", _stop(part, CUT_SECONDS))
            for part in ("postgres", "kafka")
        ),
        Fault(f"the disk is full for {FULL_SECONDS:.0f} s", _fill_disk),
        Fault(f"the clock of our processes jumps {AHEAD_DAYS} days ahead", _jump),
        *(
            Fault(f"the database of {service} refuses for {REFUSED_SECONDS:.0f} s", _refuse(service))
            for service in SERVICES
        ),
        *(Fault(f"the next release beside {service}", _next_release(service)) for service in SERVICES),
        *(Fault(f"{topic} told again, orders shuffled", _replay(topic)) for topic in (topics.ORDERS, topics.DIRECTORY)),
        *(Fault(f"poison on {topic}: {kind}", _poison(topic, kind)) for topic in POISONED for kind in POISON),
    ]


def plan(randomness: random.Random, count: int) -> list[Fault]:
    """`count` of them: every one before any comes again."""
    planned: list[Fault] = []
    while len(planned) < count:
        planned += randomness.sample(everything(), len(everything()))
    return planned[:count]


def _signal(part: str, number: signal.Signals) -> Callable[[Trial], Awaitable[str]]:
    async def do(trial: Trial) -> str:
        return "" if trial.signal(part, number) else WAS_DOWN

    return do


def _die_at(service: str, point: str) -> Callable[[Trial], Awaitable[str]]:
    async def do(trial: Trial) -> str:
        armed = trial.failpoints / f"{service}.{point}"
        armed.touch()
        for _ in range(int(FAILPOINT_SECONDS / POLL_SECONDS)):
            if not armed.exists():
                return "it died there"
            await asyncio.sleep(POLL_SECONDS)
        armed.unlink(missing_ok=True)
        return "nobody came by"

    return do


def _stop(part: str, seconds: float) -> Callable[[Trial], Awaitable[str]]:
    """With all processes under it. To its peers it is a cut cable: connections stay open, and nothing comes."""

    async def do(trial: Trial) -> str:
        if not (stopped := trial.family(part)):
            return WAS_DOWN
        try:
            for process in stopped:
                process.suspend()
            await asyncio.sleep(seconds)
        finally:
            for process in stopped:
                with suppress(psutil.NoSuchProcess):
                    process.resume()
        return f"{len(stopped)} processes"

    return do


async def _fill_disk(trial: Trial) -> str:
    if not trial.has_own_disk:
        return "NOT DONE, it needs root to mount a disk"
    with disk.filled(trial.folder.path) as count:
        await asyncio.sleep(FULL_SECONDS)
    return f"by {count / 2**20:.0f} MiB"


async def _jump(trial: Trial) -> str:
    ahead = clock.set_ahead(trial.folder, timedelta(days=AHEAD_DAYS).total_seconds())
    return f"{timedelta(seconds=ahead).days} days in all"


def _refuse(service: str) -> Callable[[Trial], Awaitable[str]]:
    async def do(trial: Trial) -> str:
        await _ask_server(trial, f'ALTER DATABASE "{service}" ALLOW_CONNECTIONS false')
        try:
            ended = await _ask_server(
                trial,
                f"""
                SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{service}'
            """,
            )
            await asyncio.sleep(REFUSED_SECONDS)
        finally:
            await _ask_server(trial, f'ALTER DATABASE "{service}" ALLOW_CONNECTIONS true')
        return f"{ended} connections ended"

    return do


def _next_release(service: str) -> Callable[[Trial], Awaitable[str]]:
    async def do(trial: Trial) -> str:
        return await newer.beside(trial, service)

    return do


async def _ask_server(trial: Trial, statement: str) -> object:
    while True:
        try:
            connection = await asyncpg.connect(trial.stack.cluster.url())
            try:
                return await connection.fetchval(statement)
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(POLL_SECONDS)


def _replay(topic: str) -> Callable[[Trial], Awaitable[str]]:
    async def do(trial: Trial) -> str:
        try:
            async with asyncio.timeout(READ_SECONDS):
                records = await _read_all(trial, topic)
                await _send_all(trial, topic, _shuffled(records, trial.randomness))
        except (KafkaError, TimeoutError, OSError) as reason:
            return f"cut short by {reason!r}"
        return f"{len(records)} records"

    return do


async def _read_all(trial: Trial, topic: str) -> list[ConsumerRecord]:
    consumer = AIOKafkaConsumer(auto_offset_reset="earliest", fetch_max_wait_ms=50, **trial.kafka.client_options)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(trial.stack.broker.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends, records = await consumer.end_offsets(partitions), list[ConsumerRecord]()
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                records += batch
        return records
    finally:
        await consumer.stop()


def _shuffled(records: Sequence[ConsumerRecord], randomness: random.Random) -> list[ConsumerRecord]:
    """The records of different keys in any interleaving, those of one key in their order."""
    by_key: dict[bytes, list[ConsumerRecord]] = {}
    for record in records:
        by_key.setdefault(record.key or b"", []).append(record)
    turns = [key for key, waiting in by_key.items() for _ in waiting]
    randomness.shuffle(turns)
    next_of = {key: iter(waiting) for key, waiting in by_key.items()}
    return [next(next_of[key]) for key in turns]


async def _send_all(trial: Trial, topic: str, records: Sequence[ConsumerRecord]) -> None:
    producer = AIOKafkaProducer(**trial.kafka.client_options, acks="all", max_request_size=2 * BIG_BYTES)
    await producer.start()
    try:
        for number, record in enumerate(records, start=1):
            sent = await producer.send(topic, record.value, key=record.key, headers=list(record.headers))
            if number % AT_ONCE == 0 or number == len(records):
                await sent
        await producer.flush()
    finally:
        await producer.stop()


POISONED = (topics.ORDERS, topics.DIRECTORY, topics.INBOUND)
POISON = ("no text", "unknown type", "no headers", "breaks its schema", "wrong teller", "10 MB")


def _poison(topic: str, kind: str) -> Callable[[Trial], Awaitable[str]]:
    async def do(trial: Trial) -> str:
        key = str(new_id())
        headers = _envelope(topic)
        value = b"{}"
        if kind == "no text":
            value = b"\xff\xfe\x00"
        elif kind == "unknown type":
            headers["ce_type"] = "order.imagined.v9"
        elif kind == "no headers":
            headers = {}
        elif kind == "wrong teller":
            headers["ce_source"] = "finance"
        elif kind == "10 MB":
            value = b'{"reason": "' + b"x" * BIG_BYTES + b'"}'
        if kind in ("breaks its schema", "10 MB"):
            trial.poison_keys.add(key)
        record = ConsumerRecord(
            topic, 0, 0, 0, 0, key.encode(), value, None, 0, 0,
            tuple((name, text.encode()) for name, text in headers.items()),
        )  # fmt: skip
        try:
            async with asyncio.timeout(READ_SECONDS):
                await _send_all(trial, topic, [record])
        except (KafkaError, TimeoutError, OSError) as reason:
            return f"the broker did not take it: {type(reason).__name__}"
        return f"key {key}"

    return do


def _envelope(topic: str) -> dict[str, str]:
    type_, teller = {
        topics.ORDERS: ("order.held.v1", "order"),
        topics.DIRECTORY: ("user.changed.v1", "gateway"),
        topics.INBOUND: ("erp.order.requested.v1", "erp-of-the-trial"),
    }[topic]
    return {
        "ce_specversion": "1.0",
        "ce_id": str(new_id()),
        "ce_type": type_,
        "ce_source": teller,
        "ce_time": utc_now().isoformat(),
        "ce_actor": "user:nobody",
        "content-type": "application/json",
    }
