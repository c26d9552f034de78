"""Half an hour at 70 % of the top speed: does memory stay where it is, and is nothing left behind?

`make soak MINUTES=30`. On Apache Kafka, since the embedded broker keeps its log in memory and has to grow.
"""

import argparse
import asyncio
import json
import time
from typing import Any

from bench import machine, report
from bench.order_to_everything import as_fast_as_possible, at_open_rate, until_last_are_readable
from bench.stack import Stack, cpu_ms, fresh_stack, pss_mib
from bench.wire import Client

MINUTES = 30.0
SHARE = 0.7
TOP_SPEED_SECONDS = 30.0
WARM_UP_SECONDS = 60.0
SAMPLE_SECONDS = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="shorter ones are shown, not kept")
    minutes = parser.parse_args().minutes
    taken_on = machine.facts() | {"broker": "Apache Kafka, one node"}
    with fresh_stack("--apache-kafka") as stack:
        found = asyncio.run(_soak(stack, minutes * 60))
    if minutes >= MINUTES:
        report.keep("soak", found | {"taken_on": taken_on})
    print(json.dumps(found, indent=1))


async def _soak(stack: Stack, seconds: float) -> dict[str, Any]:
    client = Client()
    tokens = await stack.sign_in(client)
    fastest = await as_fast_as_possible(client, stack, tokens, TOP_SPEED_SECONDS)
    rate = fastest * SHARE
    await at_open_rate(client, stack, tokens, rate, WARM_UP_SECONDS)
    samples = [(0.0, pss_mib(stack))]
    before, started = cpu_ms(stack), time.monotonic()
    sampling = asyncio.create_task(_sample(stack, samples, started))
    load = await at_open_rate(client, stack, tokens, rate, seconds)
    sampling.cancel()
    await until_last_are_readable(client, stack, tokens, load.order_ids)
    samples.append((time.monotonic() - started, pss_mib(stack)))
    spent = {name: (after - before[name]) / len(load.order_ids) for name, after in cpu_ms(stack).items()}
    await client.close()
    reached = sorted(load.reached_seconds)
    return {
        "minutes": round(load.seconds / 60, 1),
        "fastest_orders_per_second": round(fastest, 1),
        "orders_per_second": round(load.orders_per_second, 1),
        "orders": len(load.order_ids),
        "sustained": load.is_sustained,
        "seconds_late_at_most": round(load.late_seconds, 2),
        "approved_to_everything_p50_p95_s": [round(reached[len(reached) * share // 100], 2) for share in (50, 95)],
        "cpu_ms_per_order": {name: round(cost, 2) for name, cost in spent.items()},
        "left_behind_in_databases": await stack.left_behind(),
        "pss_mib": _start_middle_end(samples),
        "pss_mib_each_minute": [
            {"at_seconds": round(at), "all": round(sum(by_part.values()), 1)} for at, by_part in samples
        ],
    }


async def _sample(stack: Stack, samples: list[tuple[float, dict[str, float]]], started: float) -> None:
    while True:
        await asyncio.sleep(SAMPLE_SECONDS)
        samples.append((time.monotonic() - started, await asyncio.to_thread(pss_mib, stack)))


def _start_middle_end(samples: list[tuple[float, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """By part, at the start, in the middle, at the end."""
    chosen = {"start": samples[0][1], "middle": samples[len(samples) // 2][1], "end": samples[-1][1]}
    return {part: {when: round(by_part[part], 1) for when, by_part in chosen.items()} for part in samples[0][1]}


if __name__ == "__main__":
    main()
