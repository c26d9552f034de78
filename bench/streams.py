"""Open pages on one gateway process: what each stream costs in memory, and how soon it hears of a change.

`make bench-streams`. The streams are plain sockets, each of somebody's page of all orders; an order is placed, and what
counts is the time from the answer to that until each stream has named it. The load shares the cores with the stack.
"""

import argparse
import asyncio
import json
import statistics
import time
from typing import Any
from urllib.parse import urlsplit

from bench import machine, orders, report
from bench.stack import Stack, fresh_stack, pss_mib
from bench.wire import Client
from orderloom.defaults import DEMO_PASSWORD

STREAMS = 500
ROUNDS = 30
OF_ONE = 20
"""As many as one person may have."""
PATIENCE_SECONDS = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.streams", description=__doc__)
    parser.add_argument("--streams", type=int, default=STREAMS, help="how many; other figures are shown, not kept")
    count = parser.parse_args().streams
    taken_on = machine.facts()
    with fresh_stack() as stack:
        found = asyncio.run(_measure(stack, count))
    if count == STREAMS:
        report.keep("streams", found | {"taken_on": taken_on})
    print(json.dumps(found, indent=1))


async def _measure(stack: Stack, count: int) -> dict[str, Any]:
    client = Client()
    tokens = await stack.sign_in(client)
    await orders.place(client, stack.addresses, tokens)
    readers = await _readers(stack, client, -(-count // OF_ONE))
    await asyncio.sleep(2)
    before = _gateway_mib(stack)
    streams = [await Stream.opened(stack.addresses["gateway"], readers[number // OF_ONE]) for number in range(count)]
    reading = [asyncio.create_task(stream.read()) for stream in streams]
    await asyncio.sleep(5)
    opened = _gateway_mib(stack)
    took: list[float] = []
    for _ in range(ROUNDS):
        order_id = await orders.place(client, stack.addresses, tokens)
        took += await _until_all_heard(streams, order_id)
        await asyncio.sleep(0.3)
    after = _gateway_mib(stack)
    for task in reading:
        task.cancel()
    await client.close()
    cuts = statistics.quantiles(took, n=20)
    return {
        "streams": count,
        "heard_after_ms": {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1), "most": round(max(took), 1)},
        "gateway_pss_mib": {"before": before, "open": opened, "after_rounds": after},
        "kib_per_stream": round((opened - before) * 1024 / count, 1),
        "rounds": ROUNDS,
    }


class Stream:
    """One open page's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.heard: dict[str, float] = {}

    @classmethod
    async def opened(cls, address: str, token: str) -> "Stream":
        host = urlsplit(address)
        reader, writer = await asyncio.open_connection(host.hostname, host.port)
        writer.write(f"GET /events HTTP/1.1\r\nHost: {host.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        status = await reader.readline()
        assert b" 200 " in status, status
        return cls(reader, writer)

    async def read(self) -> None:
        while line := await self._reader.readline():
            if line.startswith(b"data: ["):
                for order_id in json.loads(line.removeprefix(b"data: ")):
                    self.heard.setdefault(order_id, time.monotonic())


async def _until_all_heard(streams: list[Stream], order_id: str) -> list[float]:
    """Milliseconds from now for each."""
    started = time.monotonic()
    while any(order_id not in stream.heard for stream in streams):
        if time.monotonic() - started > PATIENCE_SECONDS:
            raise TimeoutError(f"{sum(order_id not in each.heard for each in streams)} streams have not heard of it")
        await asyncio.sleep(0.005)
    return [(stream.heard[order_id] - started) * 1000 for stream in streams]


async def _readers(stack: Stack, client: Client, count: int) -> list[str]:
    """Tokens of so many people, made for it."""
    gateway, tokens = stack.addresses["gateway"], []
    password = (stack.data / "keys" / "admin-password").read_text().strip()
    signed_in = await client.post(f"{gateway}/auth/sign-in", "", {"user": "admin", "password": password})
    administrator = signed_in.json()["token"]
    for number in range(count):
        user = {"user_id": f"reader.{number}", "name": "Reader", "locale": "en", "roles": ["sales"]}
        await client.post(f"{gateway}/users", administrator, user | {"password": DEMO_PASSWORD})
        answer = await client.post(f"{gateway}/auth/sign-in", "", {"user": user["user_id"], "password": DEMO_PASSWORD})
        tokens.append(answer.json()["token"])
    return tokens


def _gateway_mib(stack: Stack) -> float:
    return round(pss_mib(stack)["gateway"], 1)


if __name__ == "__main__":
    main()
