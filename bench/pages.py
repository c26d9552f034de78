"""How long the gateway takes for a page: 8 people at once, each page again and again, on a stack with orders in it.

`make bench-pages`. Goal: p95 at most 60 ms for every page. The clients share the cores with the stack.
"""

import argparse
import asyncio
import json
import statistics
import time
from typing import Any

from bench import machine, orders, report
from bench.stack import ACCOUNTANT, APPROVER, Stack, fresh_stack
from bench.wire import Client

SECONDS = 8.0
ORDERS = 60
GOAL_MS = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.pages", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each page; others are shown, not kept")
    seconds = parser.parse_args().seconds
    taken_on = machine.facts()
    with fresh_stack() as stack:
        found = asyncio.run(_measure(stack, seconds))
    if seconds == SECONDS:
        report.keep("pages", {"goal_p95_ms": GOAL_MS, "pages": found, "taken_on": taken_on})
    print(json.dumps(found, indent=1))


async def _measure(stack: Stack, seconds: float) -> dict[str, Any]:
    client = Client()
    tokens = await stack.sign_in(client)
    placed = [await orders.place_and_approve(client, stack.addresses, tokens) for _ in range(ORDERS)]
    for order_id in placed[-8:]:
        await orders.until_all_is_readable(client, stack.addresses, tokens, order_id)
    for _ in range(8):
        await orders.place(client, stack.addresses, tokens)
    order = f"/orders/{placed[-1]}"
    pages = {
        "/": APPROVER,
        "/approvals": APPROVER,
        "/orders": APPROVER,
        "/board": APPROVER,
        "/tasks": APPROVER,
        **{f"{order}?tab={tab}": APPROVER for tab in ("plan", "money", "documents", "thread")},
        "/money": ACCOUNTANT,
    }
    found = {}
    for path, role in pages.items():
        name = path.replace(placed[-1], "{order}")
        found[name] = await _ask(client, f"{stack.addresses['gateway']}{path}", tokens[role], seconds)
    await client.close()
    return found


async def _ask(client: Client, url: str, token: str, seconds: float) -> dict[str, float]:
    took: list[float] = []

    async def ask() -> str:
        started = time.perf_counter()
        answer = await client.get(url, token)
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status == 200, (url, answer.status)
        return ""

    await orders.by_all_clients(1.0, ask)
    took.clear()
    await orders.by_all_clients(seconds, ask)
    cuts = statistics.quantiles(took, n=20)
    return {
        "p50_ms": round(cuts[9], 1),
        "p95_ms": round(cuts[18], 1),
        "pages_per_second": round(len(took) / seconds, 1),
        "holds": cuts[18] <= GOAL_MS,
    }


if __name__ == "__main__":
    main()
