"""What piles up: an outbox of a million facts, a replay of a million, and a consumer that is slow.

`make bench-backlog`. One process does the relay's and the consumers' work, so that its memory is theirs. Each part ends
with a count in the database: nothing may be missing, nothing twice.
"""

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import psutil

from bench import consuming, facts, machine, report
from bench.consuming import Probe
from bench.facts import Fact
from bench.parts import Bus, of_another_service, running_bus
from chassis.ids import new_id
from chassis.relay import Relay
from chassis.worker import Worker

MANY = 1_000_000
CHUNK = 20_000
SLOW_SECONDS = 40.0
SLOW_FACT_SECONDS = 0.02
SAMPLE_SECONDS = 1.0
POLL_SECONDS = 0.2
UNPUBLISHED = "SELECT count(*) FROM (SELECT FROM outbox WHERE published_at IS NULL LIMIT 1) first"
EFFECTS = "SELECT count(*) FROM bench_effects"


@dataclass
class Memory:
    """PSS of this process, in MiB."""

    samples: list[float] = field(default_factory=list)

    def take(self) -> None:
        self.samples.append(psutil.Process().memory_full_info().pss / 2**20)

    def as_told(self) -> dict[str, float]:
        middle, last = self.samples[len(self.samples) // 2], self.samples[-1]
        told = {"start": self.samples[0], "middle": middle, "end": last, "most": max(self.samples)}
        return {name: round(mib, 1) for name, mib in told.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.backlog", description=__doc__)
    parser.add_argument("--facts", type=int, default=MANY, help="how many; other figures are shown, not kept")
    count = parser.parse_args().facts
    taken_on = machine.facts()
    found = asyncio.run(_measure(count))
    if count == MANY:
        report.keep("backlog", {"facts": count, "figures": found, "taken_on": taken_on})
    print(json.dumps(found, indent=1))


async def _measure(count: int) -> dict[str, Any]:
    async with running_bus() as bus:
        await consuming.create_effects(bus)
        found = {"full outbox, relayed": await _relay(bus, count)}
        found["slow consumer, and another beside it"] = await _read_slowly(bus)
        found["read for the first time"] = await _read(bus, "probe", count, effects=count)
        found["replayed to one that has read all"] = await _read(bus, "probe", count, effects=count)
        return found


async def _relay(bus: Bus, count: int) -> dict[str, Any]:
    connection = await bus.connect()
    started = time.monotonic()
    waiting = facts.without_end()
    for _ in range(0, count, CHUNK):
        await connection.copy_records_to_table(
            "outbox",
            columns=("event_id", "topic", "key", "type", "headers", "body"),
            records=[_row(each) for each in islice(waiting, CHUNK)],
        )
    await connection.execute("ANALYZE outbox")
    filled = time.monotonic() - started
    relay = asyncio.create_task(Relay(bus.database, service="bench", settings=bus.settings).run())

    async def is_done() -> bool:
        return not await connection.fetchval(UNPUBLISHED)

    told = await _until(is_done) | {"seconds_to_fill": round(filled, 1)}
    relay.cancel()
    with suppress(asyncio.CancelledError):
        await relay
    await connection.close()
    return told | {"facts_per_second": round(count / told["seconds"])}


def _row(fact: Fact) -> tuple[str, str, str, str, str, str]:
    return fact.event_id, fact.topic, fact.key, fact.type, json.dumps(fact.headers), fact.body


async def _read_slowly(bus: Bus) -> dict[str, Any]:
    """The slow one has all to read before it; another service too, and does not wait for it."""
    slow, quick = Probe("slow", seconds=SLOW_FACT_SECONDS), Probe("quick")
    async with of_another_service(bus) as other:
        await consuming.create_effects(other)
        until = time.monotonic() + SLOW_SECONDS

        async def is_over() -> bool:
            return time.monotonic() > until

        async with _working(bus, slow), _working(other, quick):
            told = await _until(is_over)
    connection = await bus.connect()
    await connection.execute("TRUNCATE bench_effects")
    await connection.close()
    seconds = told["seconds"]
    rates = {"slow_per_second": round(slow.count / seconds, 1), "other_per_second": round(quick.count / seconds)}
    return told | rates


async def _read(bus: Bus, name: str, count: int, *, effects: int) -> dict[str, Any]:
    """All there is, in a group of its own. Who has read it before leaves no further effect."""
    connection = await bus.connect()
    probe = Probe(name)

    async def is_done() -> bool:
        return bool(await _lag(bus, connection, count) == 0 and await connection.fetchval(EFFECTS) == effects)

    await connection.execute("TRUNCATE progress")
    async with _working(bus, probe):
        told = await _until(is_done)
    left = await connection.fetchval(EFFECTS)
    entered = await connection.fetchval("SELECT count(*) FROM inbox WHERE consumer = $1", name)
    assert (left, entered) == (effects, count), (left, entered)
    await connection.close()
    return told | {"facts_per_second": round(count / told["seconds"]), "effects": left, "applied_now": probe.count}


async def _lag(bus: Bus, connection: Any, count: int) -> int:
    """By what is written down of how far each partition is read; offsets count from nought."""
    read = await connection.fetchval('SELECT COALESCE(sum("offset" + 1), 0) FROM progress')
    return count - int(read)


@asynccontextmanager
async def _working(bus: Bus, probe: Probe) -> AsyncIterator[None]:
    name = f"{probe.consumers.name}-{new_id().hex}"
    worker = Worker(bus.settings, bus.database, service=name, consumers=[probe.consumers], root=None)
    async with worker.running():
        yield


async def _until(is_done: Callable[[], Any]) -> dict[str, Any]:
    memory, started, sampled = Memory(), time.monotonic(), 0.0
    while True:
        if time.monotonic() - sampled >= SAMPLE_SECONDS:
            memory.take()
            sampled = time.monotonic()
        if await is_done():
            memory.take()
            return {"seconds": round(time.monotonic() - started, 1), "pss_mib": memory.as_told()}
        await asyncio.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
