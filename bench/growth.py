"""S6: how much slower lists, searches and pages of an order get from a thousand orders to a million."""

import argparse
import asyncio
import base64
import json
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from bench import archive, machine, plans, report
from bench.archive import TABLES, Archive
from bench.figure import Figure, Measurement
from bench.stack import ACCOUNTANT, APPROVER, READER, Stack, fresh_stack
from bench.wire import Client

NAME = "growth"
FEW = 1_000
MANY = 1_000_000
BYTES_PER_ORDER = 25_000
"""Of disk, with indexes and the log of what is written."""
REQUESTS, WARM_UP = 300, 30
GOAL = 1.3


@dataclass(frozen=True)
class Ask:
    """One kind of request: who asks which service for what, of the order with a random number."""

    what: str
    service: str
    role: str
    path: Callable[[int], str]


ASKS = (
    Ask("list of orders", "gateway", READER, lambda number: "/work/orders"),
    Ask("list, from an order on", "gateway", READER, lambda number: f"/work/orders?cursor={_cursor(number)}"),
    Ask("list of one client", "gateway", READER, lambda number: f"/work/orders?client={archive.client_code(number)}"),
    Ask("list of what is under way", "gateway", READER, lambda number: "/work/orders?status=approved"),
    Ask("search by number", "gateway", READER, lambda number: f"/work/orders?search={archive.order_no(number)[3:]}"),
    Ask("search by title", "gateway", READER, lambda number: f"/work/orders?search={archive.title(number)[-6:]}"),
    Ask("order service: list", "order", READER, lambda number: "/orders"),
    Ask("order service: search", "order", READER, lambda number: f"/orders?search={archive.order_no(number)[3:]}"),
    Ask("order-360", "gateway", READER, lambda number: f"/work/orders/{archive.order_id(number)}"),
    Ask("order-360: money", "finance", READER, lambda number: f"/orders/{archive.order_id(_billed(number))}/account"),
    Ask("approval inbox", "gateway", APPROVER, lambda number: "/work/approvals"),
    Ask("ageing: what may be invoiced", "finance", ACCOUNTANT, lambda number: "/due-instalments"),
    Ask("ageing: open invoices", "finance", ACCOUNTANT, lambda number: "/open-invoices"),
    Ask("ageing: what is owed", "finance", ACCOUNTANT, lambda number: "/receivables"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.growth", description=__doc__)
    parser.add_argument("--orders", type=int, default=MANY, help="how many in the end; other figures are not kept")
    many = parser.parse_args().orders
    facts, started = machine.facts(), time.monotonic()
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < many * BYTES_PER_ORDER:
        parser.error(f"{many} orders need {many * BYTES_PER_ORDER / 2**30:.0f} GiB, and {free / 2**30:.0f} are free")
    with fresh_stack() as stack:
        measurement = asyncio.run(_measure(stack, many))
    took = round(time.monotonic() - started)
    if many == MANY:
        document = report.as_document("S6", measurement, seconds=took)
        report.keep(f"s6_{NAME}", document | {"took_seconds": took, "taken_on": facts})
    report.show({"S6": measurement})


async def _measure(stack: Stack, many: int) -> Measurement:
    client = Client()
    tokens = await stack.sign_in(client)
    grown = Archive(stack)
    await grown.learn(client, tokens)
    found: dict[int, dict[str, dict[str, Any]]] = {}
    filling: dict[str, float] = {}
    for count in (FEW, many):
        started = time.monotonic()
        await grown.fill(count)
        filling[str(count)] = round(time.monotonic() - started, 1)
        print(f"{count} orders after {filling[str(count)]} s", flush=True)
        found[count] = {ask.what: await _ask(client, stack, tokens, ask, count) for ask in ASKS}
    await client.close()
    figures = [_figure(what, found[FEW][what]["p95_ms"], found[many][what]["p95_ms"], many) for what in found[many]]
    details = {
        "orders": [FEW, many],
        "seconds_to_fill": filling,
        "tables": TABLES,
        "left_out": "outboxes, inboxes, threads, timelines, ledgers, notices, the project service's own tables",
        "few": found[FEW],
        "many": found[many],
        "requests_each": REQUESTS,
    }
    return Measurement(figures, details)


async def _ask(client: Client, stack: Stack, tokens: dict[str, str], ask: Ask, count: int) -> dict[str, Any]:
    """One request after the other, each about another order; and how PostgreSQL answers the last of them."""
    randomness = random.Random(ask.what)
    took: list[float] = []
    for _ in range(WARM_UP + REQUESTS):
        path = ask.path(randomness.randrange(count))
        started = time.perf_counter()
        answer = await client.get(stack.addresses[ask.service] + path, tokens[ask.role])
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status == 200, answer
    cuts, body = statistics.quantiles(took[WARM_UP:], n=20), answer.json()
    read = await plans.of_request(stack, ask.service, path, tokens[ask.role], big=TABLES[ask.service])
    return {
        "p50_ms": round(cuts[9], 2),
        "p95_ms": round(cuts[18], 2),
        "rows_in_page": len(body if isinstance(body, list) else body.get("items", "1")),
        "plans_of_last_request": asdict(read),
    }


def _figure(what: str, few_ms: float, many_ms: float, many: int) -> Figure:
    return Figure(
        what=f"{what}, p95 with {many:,} orders",
        value=many_ms,
        unit="ms",
        against=few_ms,
        against_what=f"the same with {FEW:,}",
        goal=GOAL,
        bound="at most",
    )


def _billed(number: int) -> int:
    """The next order that has an account."""
    return number if archive.standing(number) != "submitted" else number + 1


def _cursor(number: int) -> str:
    """As `next_cursor` is made, opaque to everyone but who measures."""
    return base64.urlsafe_b64encode(json.dumps([archive.order_id(number)]).encode()).decode().rstrip("=")


if __name__ == "__main__":
    main()
