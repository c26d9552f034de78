"""S5: a page of 50 orders with totals, stage and project progress, against Odoo's list of orders."""

import asyncio
import statistics
import time
from typing import Any

from bench import orders
from bench.figure import Figure, Measurement
from bench.stack import READER, Stack, cpu_ms, fresh_stack
from bench.wire import Client

NAME, SECONDS = "listing", 20
ROWS = 50
ORDERS = 200
"""Approved ones, with projects, to be listed from."""
ODOO_WITH_PROJECTS, ODOO_STORED_ONLY = 50.0, 150.0
"""Requests a second of Odoo 19 on two cores, in runs of their own, the better end of each range, with 3.5 rows a page
on average: 23 to 50 with columns of the project, 114 to 150 with stored columns only."""


def measure(seconds: float) -> Measurement:
    with fresh_stack() as stack:
        return asyncio.run(_measure(stack, seconds))


async def _measure(stack: Stack, seconds: float) -> Measurement:
    client = Client()
    tokens = await stack.sign_in(client)
    await _fill(client, stack, tokens)
    url = f"{stack.addresses['gateway']}/work/orders?limit={ROWS}"
    await _check(client, url, tokens[READER])
    took: list[float] = []

    async def ask() -> str:
        started = time.perf_counter()
        answer = await client.get(url, tokens[READER])
        took.append((time.perf_counter() - started) * 1000)
        return str(answer.status)

    await orders.by_all_clients(2.0, ask)
    took.clear()
    before, started = cpu_ms(stack), time.perf_counter()
    statuses = await orders.by_all_clients(seconds, ask)
    rate = len(statuses) / (time.perf_counter() - started)
    spent = {name: (after - before[name]) / len(statuses) for name, after in cpu_ms(stack).items()}
    assert set(statuses) == {"200"}
    await client.close()
    return Measurement(_figures(rate), _details(rate, took, spent))


async def _fill(client: Client, stack: Stack, tokens: dict[str, str]) -> None:
    placed = [await orders.place_and_approve(client, stack.addresses, tokens) for _ in range(ORDERS)]
    for order_id in placed[-5:]:
        await orders.until_all_is_readable(client, stack.addresses, tokens, order_id)


async def _check(client: Client, url: str, token: str) -> None:
    """The page is what the figure says it is."""
    rows = (await client.get(url, token)).json()["items"]
    assert len(rows) == ROWS
    assert all(row["total"] and row["stage_name"] and row["tasks_total"] == orders.TASKS for row in rows)


def _figures(rate: float) -> list[Figure]:
    def against(odoo: float, what: str, goal: float) -> Figure:
        return Figure(
            what="list of 50 orders, the gateway's work list",
            value=rate,
            unit="requests/s",
            against=odoo,
            against_what=what,
            goal=goal,
            bound="at least",
        )

    return [
        against(ODOO_WITH_PROJECTS, "Odoo 19, 3.5 rows with project columns, other runs", 20),
        against(ODOO_STORED_ONLY, "Odoo 19, 3.5 rows, stored columns only, other runs", 4),
    ]


def _details(rate: float, took: list[float], spent: dict[str, float]) -> dict[str, Any]:
    cuts = statistics.quantiles(took, n=20)
    return {
        "rows_per_request": ROWS,
        "rows_per_second": round(rate * ROWS),
        "p50_ms": round(cuts[9], 1),
        "p95_ms": round(cuts[18], 1),
        "cpu_ms_per_request": {name: round(spent[name], 2) for name in ("gateway", "postgres")},
        "odoo": "figures of runs of their own on two cores, not of this one; the better end of each range",
    }
