"""Databases that are restored to an instant, as the runbooks say, and what becomes of the services then.

`make recovery-check ARGS="--json FILE"`: starts a stack whose PostgreSQL archives its log, and lets orders flow. It
restores the database of one service after the other to before the last orders; then all of them; then everything from
nothing. It says how long each step took, what the service had forgotten, and what was not as before.
"""

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench import machine
from checks.backup import Backups, CommandFailed, orderloom
from checks.traces import ORDERS, gateway_of
from contracts import topics
from contracts.topics import SERVICES
from orderloom import readiness, state, up
from orderloom.demo.cast import Cast
from orderloom.demo.life import Life
from orderloom.demo.orders_file import import_file
from orderloom.folder import DataFolder
from orderloom.gateway import Gateway
from orderloom.stack import Stack

LEVEL_SECONDS = 180.0
POLL_SECONDS = 0.25
ZONE = ZoneInfo("Asia/Shanghai")
AFTER_INSTANT_SECONDS = 1.0
"""An instant lies between two transactions when nothing is written for so long."""
ONE_BY_ONE = ("gateway", "notify", "project", "finance", "order")


class NotLevel(Exception):
    """What was restored did not come to know again what the others know."""


@dataclass
class Drill:
    """A stack, its backups, and the orders that it was given."""

    folder: DataFolder
    backups: Backups
    gateway: Gateway
    orders: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def stack(self) -> Stack:
        return Stack.of(self.folder)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[step] = round(time.monotonic() - begun, 1)

    async def place(self) -> str:
        """The id of one more order."""
        self.orders += 1
        order = json.loads(ORDERS.read_text().splitlines()[0]) | {"external_id": f"DRILL-{self.orders:03}"}
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write(json.dumps(order))
            file.flush()
            async for imported in import_file(self.gateway, Cast(self.gateway).seller, Path(file.name)):
                (order_id,) = imported.orders
        return order_id

    async def play(self, order_id: str) -> None:
        """To its last payment."""
        await Life(self.gateway, Cast(self.gateway), order_id, zone=ZONE).play(lambda step: None)

    async def until_level(self) -> None:
        """Every service has read all that was told. Raises `NotLevel`."""
        deadline = time.monotonic() + LEVEL_SECONDS
        while behind := await self._behind():
            if time.monotonic() > deadline:
                raise NotLevel(f"Not read: {behind}")
            await asyncio.sleep(POLL_SECONDS)

    async def _behind(self) -> dict[str, int]:
        """By service: the facts in its outbox that were not published, or the records that it has not read."""
        waiting = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
        unpublished = {name: await self.backups.fetch(waiting, database=name) for name in SERVICES}
        partitions = [TopicPartition(topics.ORDERS, number) for number in range(self.stack.broker.partitions)]
        async with AIOKafkaConsumer(**self.stack.kafka.client_options) as consumer:
            ends = await consumer.end_offsets(partitions)
        progress = f"SELECT partition, \"offset\" FROM progress WHERE topic = '{topics.ORDERS}'"
        unread = {}
        for name in SERVICES:
            read = {row[0]: row[1] + 1 for row in await self.backups.rows(progress, database=name)}
            unread[name] = sum(max(end - read.get(each.partition, 0), 0) for each, end in ends.items())
        return {name: count for name in SERVICES if (count := unpublished[name] + unread[name])}

    def send(self, service: str, number: signal.Signals) -> None:
        """To its API and its worker."""
        known = state.load(self.folder.state).processes
        for part in (service, f"{service}-worker"):
            if process := known[part].find():
                process.send_signal(number)

    async def until_ready(self, service: str) -> None:
        """Its API and its worker, begun anew."""
        async with readiness.client() as http:
            for part in (service, f"{service}-worker"):
                while not (await readiness.ask(http, self.stack.url(part))).is_ready:
                    await asyncio.sleep(POLL_SECONDS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="where to keep what was seen")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orderloom-recovery-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user when we are root
        try:
            seen = asyncio.run(check(Path(folder)))
        except (NotLevel, CommandFailed, up.StackFailed) as reason:
            print(f"FAILED: {reason}", file=sys.stderr)
            return 1
    text = json.dumps(seen, indent=1, ensure_ascii=False) + "\n"
    print(text)
    if arguments.json:
        arguments.json.write_text(text)
    return 0


async def check(place: Path) -> dict[str, Any]:
    """Raises `NotLevel`, `StackFailed`."""
    taken_on, folder = machine.facts(), DataFolder(place / "data")
    try:
        await up.up(folder, up.Wanted(is_apart=True), print)
        backups = Backups.at(folder, place / "backups")
        await backups.switch_on()
        await up.down(folder)
        await up.up(folder, up.Wanted(), print)
        async with gateway_of(Stack.of(folder)) as gateway:
            drill = Drill(folder, backups, gateway)
            await drill.play(await drill.place())
            with drill.timed("copy"):
                backups.take_copy()
            one = [await restore_one(drill, service) for service in ONE_BY_ONE]
            instant = one[-1].pop("instant")
            everything = await restore_all(drill, instant)
    finally:
        await up.down(folder)
    return {"one_database": one, "all_databases": everything, "taken_on": taken_on}


async def restore_one(drill: Drill, service: str) -> dict[str, Any]:
    """To before one order was approved, and another placed and brought to its end."""
    print(f"--- {service}")
    approved_after = await drill.place()
    await drill.until_level()
    instant = await an_instant(drill)
    await drill.play(approved_after)
    await drill.play(await drill.place())
    await drill.until_level()
    before, drill.seconds = await known(drill), {}
    begun = time.monotonic()
    drill.send(service, signal.SIGSTOP)
    await put_back(drill, service, instant)
    with drill.timed("started"):
        drill.send(service, signal.SIGKILL)
        await asyncio.sleep(POLL_SECONDS)
        await drill.until_ready(service)
    with drill.timed("level"):
        await drill.until_level()
    if service == "gateway":
        with drill.timed("rebuilt"):
            print(orderloom(drill.folder, "rebuild", "gateway"))
    print(f"level after {time.monotonic() - begun:.1f} s")
    return {
        "service": service,
        **({"instant": instant} if service == ONE_BY_ONE[-1] else {}),
        "seconds": drill.seconds | {"altogether": round(time.monotonic() - begun, 1)},
        "forgotten": forgotten(drill),
        **await compared(drill, before),
    }


async def an_instant(drill: Drill) -> datetime:
    await asyncio.sleep(AFTER_INSTANT_SECONDS)
    instant = await drill.backups.now()
    await asyncio.sleep(AFTER_INSTANT_SECONDS)
    return instant


async def put_back(drill: Drill, service: str, instant: datetime) -> None:
    """The database of one service, from a server beside that was restored to the instant."""
    with drill.timed("archived"):
        await drill.backups.until_archived()
    dump = drill.backups.place / f"{service}.dump"
    with drill.timed("restored beside"):
        async with drill.backups.restored_to(instant) as port:
            arguments = ("--format=custom", "--port", str(port), "--file", str(dump), service)
            orderloom(drill.folder, "pg", "pg_dump", *arguments)
    with drill.timed("put back"):
        await drill.backups.execute(f'DROP DATABASE "{service}" WITH (FORCE)', f'CREATE DATABASE "{service}"')
        orderloom(drill.folder, "pg", "pg_restore", "--dbname", service, str(dump))


async def restore_all(drill: Drill, instant: datetime) -> dict[str, Any]:
    """The whole server, after the disk it was on is gone: the copy, the archive, and a bus that is empty."""
    print("--- all")
    drill.seconds = {}
    with drill.timed("archived"):
        await drill.backups.until_archived()
    with drill.timed("stopped"):
        await up.down(drill.folder)
    cluster = drill.folder.postgres.resolve() / "cluster"
    shutil.rmtree(cluster)
    begun = time.monotonic()
    with drill.timed("put back"):
        drill.backups.set_back(cluster, instant)
    with drill.timed("started"):
        await up.up(drill.folder, up.Wanted(), print)
    with drill.timed("level"):
        await drill.until_level()
    with drill.timed("rebuilt"):
        rebuilt = orderloom(drill.folder, "rebuild", "gateway").splitlines()
    seconds = drill.seconds | {"altogether": round(time.monotonic() - begun, 1)}
    await drill.play(await drill.place())  # and it goes on
    return {
        "seconds": seconds,
        "forgotten": forgotten(drill),
        "rebuilt": rebuilt[-1:],
        **await compared(drill, await known(drill)),
    }


def forgotten(drill: Drill) -> dict[str, dict[str, int]]:
    """By service and type, how many facts the others have and their teller has not."""
    lines = orderloom(drill.folder, "forgotten").splitlines()[:-1]
    counts: dict[str, Counter[str]] = {}
    for line in lines:
        service, _, type, _ = line.split(" ", 3)
        counts.setdefault(service, Counter())[type] += 1
    return {service: dict(sorted(types.items())) for service, types in sorted(counts.items())}


IDENTITIES = {
    "projects": ("project", "SELECT order_id, project_id FROM projects"),
    "projects at the gateway": ("gateway", "SELECT order_id, project_id FROM order_views WHERE project_id IS NOT NULL"),
    "tasks": ("project", "SELECT order_id, task_id FROM tasks"),
    "tasks at the gateway": ("gateway", "SELECT order_id, task_id FROM task_views"),
    "accounts": ("finance", "SELECT order_id, account_id FROM accounts"),
    "accounts at the gateway": ("gateway", "SELECT order_id, account_id FROM order_views WHERE account_id IS NOT NULL"),
    "instalments": ("finance", "SELECT instalment_id FROM instalments"),
    "invoices": ("finance", "SELECT number FROM invoices"),
    "receipts": ("finance", "SELECT receipt_id FROM receipts"),
    "orders": ("order", "SELECT order_id, order_no, status FROM orders"),
    "orders at the gateway": ("gateway", "SELECT order_id, order_no, status FROM order_views"),
    "thread": ("order", "SELECT event_id FROM thread"),
    "timeline": ("gateway", "SELECT event_id FROM timeline"),
    "notices": ("notify", "SELECT notice_id FROM notices"),
}


async def known(drill: Drill) -> dict[str, set[tuple[Any, ...]]]:
    """By name, what there is."""
    rows = {name: await drill.backups.rows(query, database=of) for name, (of, query) in IDENTITIES.items()}
    return {name: {tuple(row) for row in found} for name, found in rows.items()}


async def compared(drill: Drill, before: dict[str, set[tuple[Any, ...]]]) -> dict[str, Any]:
    """What is gone, what is new, and what two services now say differently."""
    now = await known(drill)
    pairs = [(name, f"{name} at the gateway") for name in now if f"{name} at the gateway" in now]
    twice = "SELECT count(*) FROM (SELECT event_id FROM thread GROUP BY event_id HAVING count(*) > 1) t"
    return {
        "gone": {name: count for name in now if (count := len(before[name] - now[name]))},
        "new": {name: count for name in now if (count := len(now[name] - before[name]))},
        "unlike_the_gateway": {own: count for own, there in pairs if (count := len(now[own] ^ now[there]))},
        "twice_on_threads": await drill.backups.fetch(twice, database="order"),
        "parked": orderloom(drill.folder, "parked").strip().splitlines(),
        "threads": orderloom(drill.folder, "verify-thread", "--all").strip(),
    }


if __name__ == "__main__":
    sys.exit(main())
