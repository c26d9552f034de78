"""`orderloom rebuild`: a service's read model made again from the archive, while it serves."""

import argparse
import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from contracts.topics import SERVICES
from orderloom.commands.administrator import Administrator, administrator

console = Console(soft_wrap=True, highlight=False)

POLL_SECONDS = 0.3
CATCH_UP_SECONDS = 60.0
"""For orders of which the archive lacks facts that the read model has: longer than a killed worker is away."""


class RebuildTooSlow(Exception):
    """It goes on, and nobody waits for it here any longer."""


@dataclass
class Outcome:
    """What a rebuild came to."""

    before: dict[str, Any]
    after: dict[str, Any]
    orders: int
    facts: int
    broken: list[dict[str, Any]]
    """Orders whose threads were tampered with."""
    not_rebuilt: list[dict[str, Any]]

    @property
    def is_whole(self) -> bool:
        return not self.broken and not self.not_rebuilt

    def as_json(self) -> dict[str, Any]:
        return vars(self) | {"same": self.before["sha256"] == self.after["sha256"]}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", choices=SERVICES, metavar="SERVICE", help="whose read model")
    parser.add_argument("--order", metavar="ORDER", help="of this order alone, by its id or its number")
    parser.add_argument(
        "--force", action="store_true", help="even where the archive has fewer facts than the read model counts"
    )
    parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="to wait for its end")
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    """1 when an order could not be rebuilt."""
    outcome = asyncio.run(_run(arguments))
    if arguments.json:
        print(json.dumps(outcome.as_json(), indent=2))
    else:
        _print(outcome)
    return 0 if outcome.is_whole else 1


async def _run(arguments: argparse.Namespace) -> Outcome:
    async with administrator(arguments) as asking:
        order_id = await asking.order_id(arguments.order) if arguments.order else None
        body = {"service": arguments.service, "order_id": order_id, "force": arguments.force}
        rebuilding = Rebuilding(asking, body, deadline=time.monotonic() + arguments.timeout)
        before = await rebuilding.checksum()
        told, applied = await rebuilding.until_done(await rebuilding.start())
        left = await rebuilding.ask_again(applied["not_rebuilt"])
        after = await rebuilding.checksum()
        return Outcome(before, after, told["orders_told"], told["facts_told"], told["broken"], left)


@dataclass
class Rebuilding:
    """One that `asking` watches."""

    asking: Administrator
    body: dict[str, Any]
    deadline: float

    async def start(self) -> dict[str, Any]:
        started: dict[str, Any] = await self.asking.post("order", "/admin/rebuilds", self.body)
        return started

    async def checksum(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.asking.get(
            self.body["service"], "/admin/read-model", order_id=self.body["order_id"]
        )
        return found

    async def until_done(self, started: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """What was told, and what became of it. Raises `RebuildTooSlow`."""
        path, ended = f"rebuilds/{started['rebuild_id']}", 0
        while time.monotonic() < self.deadline:
            told = await self.asking.get("order", f"/admin/{path}")
            applied = await self.asking.get(self.body["service"], f"/admin/read-model/{path}")
            ended = applied["rebuilt"] + applied["behind"] + applied["failed"]
            if told["finished_at"] and ended >= told["orders_told"]:
                return told, applied
            await asyncio.sleep(POLL_SECONDS)
        raise RebuildTooSlow(f"{ended} of {started['orders_total']} orders are done. It goes on by itself.")

    async def ask_again(self, not_rebuilt: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """For the orders of which the archive was behind, one by one; those that are left in the end."""
        left = not_rebuilt
        until = min(self.deadline, time.monotonic() + CATCH_UP_SECONDS)
        while (behind := _behind(left)) and time.monotonic() < until:
            left = [order for order in left if order not in behind]
            for order in behind:
                again = Rebuilding(self.asking, self.body | {"order_id": order["order_id"]}, self.deadline)
                _, applied = await again.until_done(await again.start())
                left += applied["not_rebuilt"]
            await asyncio.sleep(POLL_SECONDS)
        return left


def _behind(left: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [order for order in left if order["outcome"] == "behind"]


def _print(outcome: Outcome) -> None:
    console.print(f"before: {_shown(outcome.before)}", markup=False)
    console.print(f"after:  {_shown(outcome.after)}", markup=False)
    same = outcome.before["sha256"] == outcome.after["sha256"]
    verdict = "the same as before" if same else "not the same: it was damaged, or facts have come meanwhile"
    orders = "1 order" if outcome.orders == 1 else f"{outcome.orders} orders"
    console.print(f"{orders} made again from {outcome.facts} facts: {verdict}.", markup=False)
    for order in outcome.broken:
        told = f"its thread is broken at position {order['first_broken']}, it was left as it is"
        console.print(f"{order['order_id']}: {told}", style="red", markup=False)
    for order in outcome.not_rebuilt:
        console.print(f"{order['order_id']}: {order['outcome']}, {order['detail']}", style="red", markup=False)


def _shown(checksum: dict[str, Any]) -> str:
    rows = ", ".join(f"{table} {count}" for table, count in checksum["rows"].items())
    return f"{checksum['sha256']} ({rows})"
