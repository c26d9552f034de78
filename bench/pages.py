"""How long the gateway takes for a page: 8 people at once, on a stack with orders in it.

`make bench-pages`. Each page is taken twice: by eight who look at it for a second before they ask again, as people do
at their fastest, and by eight who ask without a pause, which says how many pages a second there are and what each
costs: then each waits for the seven others. Goal: p95 at most 60 ms for every page. The clients share the cores.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from typing import Any

from bench import machine, orders, report
from bench.stack import ACCOUNTANT, APPROVER, Stack, cpu_ms, fresh_stack
from bench.wire import Client

SECONDS = 12.0
LOOKED_AT_SECONDS = 1.0
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
        found[name] = await _measure_page(client, stack, f"{stack.addresses['gateway']}{path}", tokens[role], seconds)
        print(name, found[name], flush=True)
    await client.close()
    return found


async def _measure_page(client: Client, stack: Stack, url: str, token: str, seconds: float) -> dict[str, float]:
    await _ask(client, url, token, 1.0, looked_at_seconds=0)
    looking = await _ask(client, url, token, seconds, looked_at_seconds=LOOKED_AT_SECONDS)
    before = cpu_ms(stack)
    pressing = await _ask(client, url, token, seconds, looked_at_seconds=0)
    spent = {name: value - before[name] for name, value in cpu_ms(stack).items()}
    p95 = statistics.quantiles(looking, n=20)[18]
    return {
        "p50_ms": round(statistics.median(looking), 1),
        "p95_ms": round(p95, 1),
        "holds": p95 <= GOAL_MS,
        "p50_without_pause_ms": round(statistics.median(pressing), 1),
        "p95_without_pause_ms": round(statistics.quantiles(pressing, n=20)[18], 1),
        "pages_per_second": round(len(pressing) / seconds, 1),
        "cpu_ms_of_the_gateway": round(spent["gateway"] / len(pressing), 2),
        "cpu_ms_of_all": round(sum(spent.values()) / len(pressing), 2),
    }


async def _ask(client: Client, url: str, token: str, seconds: float, *, looked_at_seconds: float) -> list[float]:
    """How long each answer took, in milliseconds."""
    took: list[float] = []

    async def ask() -> str:
        # Before they ask, and uneven: or all eight would come in the same moment, the first time or for ever.
        await asyncio.sleep(looked_at_seconds * random.uniform(0.5, 1.5))
        started = time.perf_counter()
        answer = await client.get(url, token)
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status == 200, (url, answer.status)
        return ""

    await orders.by_all_clients(seconds, ask)
    return took


if __name__ == "__main__":
    main()
