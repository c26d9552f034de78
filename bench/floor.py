"""The floor of S2: what the requests, rows and facts of an order cost with the same libraries and nothing of ours.

An order is placed on a fresh stack, and what it leaves is the work. Then, for many orders: the same two requests are
answered by FastAPI, which checks their bodies with pydantic; the same rows are written by one prepared statement on
asyncpg a request, and one a batch in the consumers; the same facts go over the broker once and are parsed by everyone
who handles them.

No rule is applied, nothing is read or locked, nobody is asked who they are, no foreign key is checked, no fact is
marked as published or read, no e-mail leaves. What stands above the floor is that, and what the ORM costs.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench import facts, machine, orders, report
from bench.stack import APPROVER, SELLER, Stack, fresh_stack
from bench.wire import Client
from chassis import migrations
from chassis.application import Service
from contracts.catalogue import EVENTS
from contracts.topics import MESSAGE_BYTES_MAX, ORDERS, SERVICES
from orderloom import ports
from orderloom.parts import Parts, embedded_parts
from orderloom.stack import MODULES

COUNT = 600
IN_A_BATCH = 10
"""Orders whose facts a consumer applies in one transaction: what a busy stack comes to."""
RECORDS_MAX = 200
QUIET_SECONDS = 3.0
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CONSUMED = ("inbox", "seen", "progress", "thread")
"""Tables of the order service that its consumer writes."""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
WRITABLE = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = $1 AND is_identity = 'NO' AND is_generated = 'NEVER'
    AND coalesce(column_default, '') NOT LIKE 'nextval%'
"""

Rows = dict[str, list[dict[str, Any]]]
"""By table."""


@dataclass(frozen=True)
class Hop:
    """Where rows are written together."""

    service: str
    rows: Rows
    orders_at_once: int


@dataclass(frozen=True)
class Work:
    """What one order is."""

    order_no: str
    hops: dict[str, Hop]
    answers: dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=COUNT, help="fewer are shown, not kept")
    count = parser.parse_args().orders
    taken_on = machine.facts()
    with fresh_stack() as stack:
        work = asyncio.run(_work_of_an_order(stack))
    with embedded_parts() as parts:
        cost = asyncio.run(_costs(parts, work, count))
    found = {
        "orders": count,
        "orders_in_a_batch": IN_A_BATCH,
        "rows_per_order": {name: sum(map(len, hop.rows.values())) for name, hop in work.hops.items()},
        "cpu_ms_per_order": round(sum(cost.values()), 2),
        "cpu_ms_by_hop": {name: round(each, 2) for name, each in cost.items()},
    }
    if count >= COUNT:
        report.keep("floor", found | {"taken_on": taken_on})
    print(json.dumps(found, indent=1))


# What an order is


async def _work_of_an_order(stack: Stack) -> Work:
    client = Client()
    tokens = await stack.sign_in(client)
    await _until_readable(client, stack, tokens, await orders.place_and_approve(client, stack.addresses, tokens))
    before = {name: await _transaction_id(stack, name) for name in SERVICES}
    placed = await client.post(f"{stack.addresses['order']}/orders", tokens[SELLER], orders.BODY)
    order_id = str(placed.json()["order_id"])
    await asyncio.sleep(QUIET_SECONDS)
    hops = {"placing": Hop("order", _without(CONSUMED, await _rows(stack, "order", before["order"])), 1)}
    between = await _transaction_id(stack, "order")
    approved = await client.post(f"{stack.addresses['order']}/orders/{order_id}/approval", tokens[APPROVER], {})
    await _until_readable(client, stack, tokens, order_id)
    hops["approving"] = Hop("order", _without(CONSUMED, await _rows(stack, "order", between)), 1)
    for name in SERVICES:
        rows = await _rows(stack, name, before[name])
        if name == "order":
            rows = {table: found for table, found in rows.items() if table in CONSUMED}
        hops[f"consuming in {name}"] = Hop(name, rows, IN_A_BATCH)
    await client.close()
    return Work(
        str(placed.json()["order_no"]), hops, {"place": placed.body.decode(), "approve": approved.body.decode()}
    )


async def _until_readable(client: Client, stack: Stack, tokens: dict[str, str], order_id: str) -> None:
    await orders.until_all_is_readable(client, stack.addresses, tokens, order_id)
    await asyncio.sleep(QUIET_SECONDS)


async def _transaction_id(stack: Stack, service: str) -> int:
    return int(await stack.value(service, "SELECT pg_current_xact_id()::text::bigint"))


def _without(tables: Sequence[str], rows: Rows) -> Rows:
    return {table: found for table, found in rows.items() if table not in tables}


async def _rows(stack: Stack, service: str, since: int) -> Rows:
    """Written in the transactions since then; what was changed counts as if it were new."""
    connection = await asyncpg.connect(stack.database_url(service))
    try:
        written: Rows = {}
        for table in [row[0] for row in await connection.fetch(TABLES)]:
            columns = [row[0] for row in await connection.fetch(WRITABLE, table)]
            found = await connection.fetch(
                f'SELECT to_jsonb(t) FROM "{table}" AS t WHERE xmin::text::bigint >= $1', since
            )
            rows = [json.loads(row[0]) for row in found]
            if rows:
                written[table] = [{column: row[column] for column in columns} for row in rows]
        return written
    finally:
        await connection.close()


# What it costs


async def _costs(parts: Parts, work: Work, count: int) -> dict[str, float]:
    """CPU-ms per order, by hop."""
    cost = {"answering two requests": await _answering(work, count)}
    connections = {name: await _database(parts, name) for name in SERVICES}
    for name, hop in work.hops.items():
        cost[name] = await _writing(connections[hop.service], hop, work.order_no, count)
    for connection in connections.values():
        await connection.close()
    cost["the bus, and parsing"] = await _telling(parts, count)
    return cost


async def _answering(work: Work, count: int) -> float:
    with _server(work.answers) as (process, address):
        client = Client()
        addresses = {"order": address}
        tokens = {SELLER: "", APPROVER: ""}
        for _ in range(50):
            await orders.place_and_approve(client, addresses, tokens)
        before = _cpu_ms(process)
        for _ in range(count):
            await orders.place_and_approve(client, addresses, tokens)
        spent = _cpu_ms(process) - before
        await client.close()
    return spent / count


@contextmanager
def _server(answers: dict[str, str]) -> Iterator[tuple[psutil.Process, str]]:
    port = ports.choose(set())
    with tempfile.TemporaryDirectory(prefix="orderloom-floor-") as folder:
        file = Path(folder) / "answers.json"
        file.write_text(json.dumps(answers))
        process = subprocess.Popen([sys.executable, "-m", "bench.floor_http", str(port), str(file)])
        try:
            while not ports.is_listening(port):
                time.sleep(0.05)
            yield psutil.Process(process.pid), f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


async def _database(parts: Parts, service: str) -> asyncpg.Connection:
    """With the service's own tables and indexes."""
    url = await parts.create_database(f"floor_{service}")
    own: Service = import_module(MODULES[service]).service
    await asyncio.to_thread(migrations.migrate, url, own.migrations)
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute("SET session_replication_role = replica")  # no foreign key is checked
    return connection


async def _writing(connection: asyncpg.Connection, hop: Hop, order_no: str, count: int) -> float:
    """Each parameter is made beforehand: what the rows say is nobody's work here."""
    statement = await connection.prepare(_insert(hop.rows))
    text = json.dumps(hop.rows)
    batches = [_others(text, order_no, hop.orders_at_once) for _ in range(count // hop.orders_at_once)]
    server = psutil.Process(connection.get_server_pid())

    async def write() -> None:
        for batch in batches:
            await statement.fetchval(batch)

    return await _spent(write, server) / count


def _insert(rows: Rows) -> str:
    """All tables in one statement, as the chassis writes new rows."""
    parts = []
    for number, (table, found) in enumerate(rows.items()):
        columns = ", ".join(f'"{column}"' for column in found[0])
        parts.append(
            f'w{number} AS (INSERT INTO "{table}" ({columns}) SELECT {columns} FROM '
            f"json_populate_recordset(NULL::\"{table}\", $1::json -> '{table}') ON CONFLICT DO NOTHING)"
        )
    return f"WITH {', '.join(parts)} SELECT 1"


_numbers = iter(range(1, 10**9))


def _others(text: str, order_no: str, count: int) -> str:
    """The rows of so many orders like the one of `text`, which have ids and numbers of their own."""
    merged: Rows = {}
    for _ in range(count):
        ids: dict[str, str] = {}
        own = UUID.sub(lambda found, ids=ids: ids.setdefault(found[0], str(uuid4())), text)  # type: ignore[misc]
        for table, rows in json.loads(own.replace(order_no, f"F-{next(_numbers):09d}")).items():
            merged.setdefault(table, []).extend(rows)
    return json.dumps(merged)


async def _telling(parts: Parts, count: int) -> float:
    """Produced in batches as the relay does, read by five, decoded by each who has a handler for it."""
    prefix = "floor."
    await parts.create_topics(prefix)
    told = facts.some(count * len(facts.FILE.read_text().splitlines()))
    broker = _child_that_listens_on(int(parts.bootstrap_servers.rpartition(":")[2]))

    async def tell() -> None:
        options = parts.kafka.client_options
        async with AIOKafkaProducer(**options, max_batch_size=MESSAGE_BYTES_MAX) as producer:
            for each in told:
                headers = each.wire_headers()
                await producer.send(prefix + each.topic, each.body.encode(), key=each.key.encode(), headers=headers)
            await producer.flush()
        for name in SERVICES:
            await _read_all(AIOKafkaConsumer(**options), prefix + ORDERS, len(told), _handled_by(name))

    return await _spent(tell, broker) / count


async def _read_all(consumer: AIOKafkaConsumer, topic: str, count: int, handled: set[str]) -> None:
    async with consumer:
        consumer.assign([TopicPartition(topic, each) for each in await _partitions(consumer, topic)])
        await consumer.seek_to_beginning()
        while count > 0:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=RECORDS_MAX)).values():
                count -= len(records)
                for record in records:
                    kind = next(value for name, value in record.headers if name == "ce_type").decode()
                    if kind in handled:
                        EVENTS[kind].model_validate_json(record.value)


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer.topics()
    found: set[int] = consumer.partitions_for_topic(topic) or set()
    return found


def _handled_by(service: str) -> set[str]:
    own: Service = import_module(MODULES[service]).service
    return {kind for consumers in own.consumers for kind in consumers.handlers}


def _child_that_listens_on(port: int) -> psutil.Process:
    for child in psutil.Process().children(recursive=True):
        if any(each.laddr and each.laddr.port == port and each.status == "LISTEN" for each in child.net_connections()):
            return child
    raise RuntimeError(f"Nobody listens on {port}.")


async def _spent(do: Callable[[], Awaitable[None]], beside: psutil.Process) -> float:
    """CPU-ms of this process and of the one that works for it."""
    own, other = time.process_time(), _cpu_ms(beside)
    await do()
    return (time.process_time() - own) * 1000 + _cpu_ms(beside) - other


def _cpu_ms(process: psutil.Process) -> float:
    times = process.cpu_times()
    return (float(times.user) + float(times.system)) * 1000


if __name__ == "__main__":
    main()
