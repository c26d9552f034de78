"""S1: orders placed per second, against pgbench on the same server."""

import asyncio
import statistics
import time
from typing import Any

from bench import orders, pgbench
from bench.figure import Figure, Measurement
from bench.stack import Stack, fresh_stack
from bench.wire import Client
from contracts.topics import SERVICES
from orderloom import bus

NAME, SECONDS = "placing", 20
GOAL = 0.12
DRAIN_SECONDS_MAX = 120.0


def measure(seconds: float) -> Measurement:
    with fresh_stack() as stack:
        return asyncio.run(_measure(stack, seconds))


async def _measure(stack: Stack, seconds: float) -> Measurement:
    """Twice: with all five services at work on what is placed, and with the order service alone, as pgbench is."""
    client = Client()
    tokens = await stack.sign_in(client)
    await pgbench.prepare(stack)
    await _place(client, stack, tokens, 2.0)  # connections, caches, prepared statements
    everyone = await _place(client, stack, tokens, seconds)
    await _until_nothing_is_left(stack)
    async with bus.resting(_other_services(stack)):
        before = await pgbench.transactions_per_second(stack)
        alone = await _place(client, stack, tokens, seconds)
        after = await pgbench.transactions_per_second(stack)
    await client.close()
    tps = (before + after) / 2
    figures = [
        _figure("POST /orders, the order service alone", alone, tps),
        _figure("POST /orders, all services at work on them", everyone, tps),
    ]
    details = {
        "pgbench_before_tps": round(before),
        "pgbench_after_tps": round(after),
        "pgbench_after_to_before": round(after / before, 2),
        "alone": _latencies(alone),
        "everyone": _latencies(everyone),
    }
    return Measurement(figures, details)


async def _place(client: Client, stack: Stack, tokens: dict[str, str], seconds: float) -> tuple[float, list[float]]:
    """Orders per second, and the milliseconds that each took."""
    took: list[float] = []

    async def place() -> str:
        started = time.perf_counter()
        order_id = await orders.place(client, stack.addresses, tokens)
        took.append((time.perf_counter() - started) * 1000)
        return order_id

    started = time.perf_counter()
    await orders.by_all_clients(seconds, place)
    return len(took) / (time.perf_counter() - started), took


async def _until_nothing_is_left(stack: Stack) -> None:
    """Two looks, since what is being consumed at the moment of one stands nowhere yet."""
    async with asyncio.timeout(DRAIN_SECONDS_MAX):
        looks = 0
        while looks < 2:
            looks = 0 if await stack.left_behind() else looks + 1
            await asyncio.sleep(1.0)


def _other_services(stack: Stack) -> list[bus.Service]:
    return [bus.Service(name, stack.pids[name][0], stack.addresses[name]) for name in SERVICES if name != "order"]


def _figure(what: str, placed: tuple[float, list[float]], tps: float) -> Figure:
    return Figure(
        what=what,
        value=placed[0],
        unit="orders/s",
        against=tps,
        against_what="pgbench -N -c 8, mean of before and after",
        goal=GOAL,
        bound="at least",
    )


def _latencies(placed: tuple[float, list[float]]) -> dict[str, Any]:
    cuts = statistics.quantiles(placed[1], n=20)
    return {"orders": len(placed[1]), "p50_ms": round(cuts[9], 1), "p95_ms": round(cuts[18], 1)}
