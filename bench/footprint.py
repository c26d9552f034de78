"""S8: the memory that a whole stack takes, and the time until it is healthy."""

import asyncio
import time
from typing import Any

from bench import orders
from bench.figure import Figure, Measurement
from bench.stack import Stack, empty_stack, pss_mib
from bench.wire import Client

NAME, SECONDS = "footprint", 20
IDLE_SECONDS = 10
ODOO_MIB, ODOO_START_SECONDS = 1100.0, 2.0
"""Odoo 19 with 5 workers on two cores, in runs of their own, the better end of each range: 0.6 to 0.75 GiB PSS and 0.5
of PostgreSQL, two to three seconds to the first answer."""
GOAL_MIB, GOAL_SECONDS = 1024.0, 20.0


def measure(seconds: float) -> Measurement:
    with empty_stack() as stack:
        first = _seconds_until_healthy(stack)
        time.sleep(IDLE_SECONDS)
        idle = pss_mib(stack)
        loaded = asyncio.run(_after_load(stack, seconds))
        stack.down()
        again = _seconds_until_healthy(stack)
    figures = [
        _memory("memory (PSS) of the whole stack, idle", idle),
        _memory("memory (PSS) of the whole stack, after load", loaded),
        _start("`orderloom up` to all healthy, new data", first),
        _start("`orderloom up` to all healthy, data of before", again),
    ]
    return Measurement(figures, {"idle_mib": _rounded(idle), "after_load_mib": _rounded(loaded)})


def _seconds_until_healthy(stack: Stack) -> float:
    """As whoever types the command waits for it, the status asked for afterwards not counted."""
    started = time.monotonic()
    stack.start()
    seconds = time.monotonic() - started
    stack.read_status()
    return seconds


async def _after_load(stack: Stack, seconds: float) -> dict[str, float]:
    client = Client()
    tokens = await stack.sign_in(client)
    placed = await orders.by_all_clients(seconds, lambda: orders.place_and_approve(client, stack.addresses, tokens))
    for order_id in placed[-orders.CLIENTS :]:
        await orders.until_all_is_readable(client, stack.addresses, tokens, order_id)
    await client.close()
    return pss_mib(stack)


def _memory(what: str, by_part: dict[str, float]) -> Figure:
    return Figure(
        what=what,
        value=sum(by_part.values()),
        unit="MiB",
        against=ODOO_MIB,
        against_what="Odoo 19 with PostgreSQL, other runs",
        goal=GOAL_MIB,
        bound="at most",
        goal_is_of="value",
    )


def _start(what: str, seconds: float) -> Figure:
    return Figure(
        what=what,
        value=seconds,
        unit="s",
        against=ODOO_START_SECONDS,
        against_what="Odoo 19 to its first answer, other runs",
        goal=GOAL_SECONDS,
        bound="at most",
        goal_is_of="value",
    )


def _rounded(by_part: dict[str, float]) -> dict[str, Any]:
    return {name: round(mib, 1) for name, mib in by_part.items()}
