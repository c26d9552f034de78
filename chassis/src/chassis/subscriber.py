"""How FastStream has to be asked, so that it loses nothing. Every argument below has a default that does."""

import asyncio
import dataclasses
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from chassis.kafka import KafkaSettings
from contracts.topics import MESSAGE_BYTES_MAX

RECORDS_MAX = 200
NEVER_MS = 10 * 365 * 24 * 60 * 60 * 1000
"""When a poll ends empty. FastStream then pauses for as long again, and sees nothing of what comes meanwhile."""
BUSY_PER_SECOND = 100.0
"""Over about a second. One order alone brings a few dozen records at once, and is not to wait."""
LINGER_SECONDS, LINGER_TIMES = 0.05, 2
"""On a busy bus one waits a moment for more: large batches cost a third of what small ones do."""
POLL_INTERVAL_MAX_MS = 30 * 60 * 1000
"""A batch may wait for its database for so long before its partitions go to another worker."""


def subscribe(
    broker: KafkaBroker,
    *,
    topics: Sequence[str],
    group: str,
    handler: Callable[[KafkaMessage], Awaitable[None]],
    listener: ConsumerRebalanceListener,
    fetch_max_wait_ms: int,
    session_timeout_ms: int,
) -> None:
    """Hand batches of raw records to `handler`, one batch at a time. It must acknowledge, and must not raise."""
    subscriber = broker.subscriber(
        *topics,
        group_id=group,
        listener=listener,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,  # any other commits before the handler, or when it raises
        batch=True,
        max_records=RECORDS_MAX,
        batch_timeout_ms=NEVER_MS,
        max_workers=1,  # more have no order, and are stopped half-way
        no_reply=True,
        fetch_max_wait_ms=fetch_max_wait_ms,
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=session_timeout_ms // 5,
        max_poll_interval_ms=POLL_INTERVAL_MAX_MS,
        max_partition_fetch_bytes=MESSAGE_BYTES_MAX,
        parser=parse,
        decoder=hand_on,
    )
    subscriber(handler)


async def until_deaf(broker: KafkaBroker) -> None:
    """Return when a task has ended without which nothing is read any more: the libraries wait on, and say nothing."""
    tasks: set[asyncio.Task[None]] = set()
    for subscriber in broker.subscribers:
        each = cast(Any, subscriber)
        tasks |= {*each.tasks, each.consumer._coordinator._coordination_task, each.consumer._fetcher._fetch_task}
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


def security_of(settings: KafkaSettings) -> BaseSecurity:
    """As FastStream wants to be told."""
    context = settings.ssl_context
    if not settings.uses_sasl:
        return BaseSecurity(ssl_context=context, use_ssl=context is not None)
    by_mechanism = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
    return by_mechanism[settings.kafka_sasl_mechanism](
        settings.kafka_sasl_username,
        settings.kafka_sasl_password.get_secret_value(),
        ssl_context=context,
        use_ssl=context is not None,
    )


class Pace:
    """How many records come a second: those of the last second weigh most, older ones fade."""

    def __init__(self) -> None:
        self._per_second = 0.0
        self._counted_at = time.monotonic()

    def count(self, records: int) -> float:
        now = time.monotonic()
        self._per_second = self._per_second * math.exp(self._counted_at - now) + records
        self._counted_at = now
        return self._per_second


async def gather(message: KafkaMessage, pace: Pace) -> list[ConsumerRecord]:
    """The records of `message`, and on a busy bus those of the next moment. The acknowledgement covers them all."""
    records: list[ConsumerRecord] = list(message.raw_message)
    consumer = cast(AIOKafkaConsumer, message.consumer)
    is_busy = pace.count(len(records)) >= BUSY_PER_SECOND
    for _ in range(LINGER_TIMES if is_busy else 0):
        if len(records) >= RECORDS_MAX:
            break
        await asyncio.sleep(LINGER_SECONDS)  # and not in `getmany`, which would ask the broker again and again
        try:
            more = await consumer.getmany(max_records=RECORDS_MAX - len(records))
        except (ConsumerStoppedError, KafkaError):
            break  # what came is brought to its end all the same
        found = [readable(record) for each in more.values() for record in each]
        pace.count(len(found))
        records += found
    return records


async def parse(records: Sequence[ConsumerRecord], original: Callable[..., Awaitable[KafkaMessage]]) -> KafkaMessage:
    """One null or non-UTF-8 header would make FastStream's own parser raise, and the whole batch vanish, committed."""
    return await original(tuple(readable(record) for record in records))


async def hand_on(message: KafkaMessage) -> KafkaMessage:
    """Bodies are decoded by us, one by one and after the inbox: one bad body must not cost a batch."""
    return message


def readable(record: ConsumerRecord) -> ConsumerRecord:
    """The record with header values that are text: UTF-8 without NUL, null as empty. Nearly always as it came."""
    if _are_text([value for _, value in record.headers]):
        return record
    return dataclasses.replace(record, headers=tuple((name, _text(value)) for name, value in record.headers))


def _are_text(values: Sequence[bytes | None]) -> bool:
    """In one look at all of them: a line end between two lets neither complete the other's letter."""
    if None in values:
        return False
    try:
        return "\0" not in b"\n".join(cast(Sequence[bytes], values)).decode()
    except UnicodeDecodeError:
        return False


def _text(value: bytes | None) -> bytes:
    return (value or b"").decode("utf-8", "replace").replace("\0", "\ufffd").encode()
