"""`orderloom verify-thread`: whether nobody changed what happened to an order."""

import argparse
import asyncio
import json
from typing import Any

from rich.console import Console

from orderloom.commands.administrator import administrator

console = Console(soft_wrap=True, highlight=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("order", nargs="?", metavar="ORDER", help="its id or its number")
    which.add_argument("--all", action="store_true", help="the threads of all orders")
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    """1 when a thread is broken."""
    threads = asyncio.run(_verify(arguments, None if arguments.all else arguments.order))
    broken = [thread for thread in threads if not thread["verified"]]
    if arguments.json:
        print(json.dumps(threads if arguments.all else threads[0], indent=2))
    else:
        _print(threads, broken, all_orders=arguments.all)
    return 1 if broken else 0


async def _verify(arguments: argparse.Namespace, order: str | None) -> list[dict[str, Any]]:
    async with administrator(arguments) as asking:
        if order is None:
            return await asking.all_pages("order", "/threads/verification")
        return [await asking.get("order", f"/orders/{await asking.order_id(order)}/thread/verification")]


def _print(threads: list[dict[str, Any]], broken: list[dict[str, Any]], *, all_orders: bool) -> None:
    for thread in broken:
        place = f"broken at position {thread['first_broken']} of {thread['length']}"
        console.print(f"{thread['order_no']} ({thread['order_id']}): {place}", style="red", markup=False)
    if all_orders:
        facts = sum(thread["length"] for thread in threads)
        console.print(f"{len(threads) - len(broken)} of {len(threads)} threads are whole, {facts} facts.", markup=False)
    elif not broken:
        (thread,) = threads
        whole = f"{thread['length']} facts, whole. Head {thread['head']}"
        console.print(f"{thread['order_no']} ({thread['order_id']}): {whole}", markup=False)
