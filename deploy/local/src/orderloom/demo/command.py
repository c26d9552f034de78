"""The command: a stack, a file of orders, everyone's steps, a table at the end."""

import argparse
import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from chassis.clock import business_date, utc_now
from chassis.settings import ServiceSettings
from orderloom import defaults, up
from orderloom.commands.administrator import OperatorSettings
from orderloom.defaults import ADMINISTRATOR, DEMO_PASSWORD
from orderloom.demo import report, under_way
from orderloom.demo.cast import Cast
from orderloom.demo.life import Life, Stuck
from orderloom.demo.orders_file import Imported, import_file
from orderloom.folder import DataFolder, secret_once
from orderloom.gateway import Gateway, Refused
from orderloom.stack import Stack

AT_ONCE = 12
"""Orders whose steps are done at the same time."""
DEFAULT_ORDERS = Path("examples/orders.jsonl")
ZONE = os.environ.get("ORDERLOOM_ZONE", str(ServiceSettings.model_fields["zone"].default))

TABLE_CHARACTERS = 120

console = Console(soft_wrap=True, highlight=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--orders", type=Path, default=DEFAULT_ORDERS, metavar="FILE", help="one order a line, in JSON")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the report there")
    parser.add_argument("--exit", action="store_true", help="stop the stack at the end")
    parser.add_argument("--admin-password", metavar="WORD", help="of the administrator behind --gateway")


def main(arguments: argparse.Namespace) -> int:
    """0 when every order that was accepted reached its end; rejected lines do not matter."""
    return asyncio.run(_demo(arguments))


async def _demo(arguments: argparse.Namespace) -> int:
    folder: DataFolder = arguments.folder
    if not arguments.orders.is_file():
        console.print(f"There is no file {arguments.orders}: name one with --orders.", style="red", markup=False)
        return 2
    url, password = arguments.gateway, arguments.admin_password
    if url:
        password = password or OperatorSettings().admin_password.get_secret_value()
    else:
        await up.up(folder, up.Wanted(), console.print)
        url, password = Stack.of(folder).url("gateway"), secret_once(folder.admin_password)
    try:
        async with Gateway(url, {ADMINISTRATOR: password}, password=DEMO_PASSWORD) as gateway:
            done = await _play(gateway, arguments.orders)
            if arguments.json:
                arguments.json.write_text(json.dumps({"orders": done.orders, "rejected": done.rejected}, indent=1))
            _print_table(done)
            if not arguments.exit and arguments.orders == DEFAULT_ORDERS:
                await _leave_some_under_way(gateway)
        if not arguments.exit:
            _print_sign_ins(url, password)
    except (Refused, Stuck, httpx.HTTPError) as reason:
        console.print(f"The orders could not be played: {reason}", style="red", markup=False)
        return 1
    finally:
        if arguments.exit and not arguments.gateway:
            await up.down(folder)
    return 1 if done.failures else 0


async def _leave_some_under_way(gateway: Gateway) -> None:
    """What has ended leaves nothing to do on the pages."""
    count = await under_way.leave(gateway, Cast(gateway), zone=ZoneInfo(ZONE), at_once=AT_ONCE)
    console.print(f"{count} more orders are under way, for the pages.")


class Done:
    """What became of everything."""

    def __init__(self, rejected: list[dict[str, Any]]) -> None:
        self.orders: list[dict[str, Any]] = []
        self.rejected = rejected
        self.failures: list[str] = []
        self.seconds = 0.0


async def _play(gateway: Gateway, orders: Path) -> Done:
    cast = Cast(gateway)
    started = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        imported = Imported()
        reading = progress.add_task(f"reading {orders.name}", total=None)
        async for imported in import_file(gateway, cast.seller, orders):
            count = len(imported.orders) + len(imported.rejected)
            progress.update(reading, completed=count)
        progress.update(reading, total=len(imported.orders) + len(imported.rejected))
        done = Done(imported.rejected)
        playing = progress.add_task("orders to their end", total=len(imported.orders))
        places = asyncio.Semaphore(AT_ONCE)
        ended: set[Life] = set()
        lives = [Life(gateway, cast, order_id, zone=ZoneInfo(ZONE)) for order_id in imported.orders]

        async def play(life: Life) -> None:
            async with places:
                name = imported.orders[life.order_id] or life.order_id
                try:
                    await life.play(lambda step: progress.update(playing, description=f"{name[:24]}: {step}"))
                    ended.add(life)
                except (Stuck, Refused, LookupError, httpx.HTTPError) as reason:
                    done.failures.append(f"{name}: {reason}")
                progress.advance(playing)

        await asyncio.gather(*(play(life) for life in lives))
        progress.update(playing, description="orders to their end")
        done.seconds = time.monotonic() - started
        done.orders = await _read_all(gateway, cast, [life for life in lives if life in ended], progress)
    return done


async def _read_all(gateway: Gateway, cast: Cast, lives: list[Life], progress: Progress) -> list[dict[str, Any]]:
    """If the date changes meanwhile, what fell due with it is looked for again."""
    reading = progress.add_task("reading the report", total=len(lives))
    places = asyncio.Semaphore(AT_ONCE)

    async def one(life: Life) -> dict[str, Any]:
        async with places:
            while True:
                if business_date(utc_now(), ZoneInfo(ZONE)) != life.as_of:
                    await life.settle()
                entry = await report.read(gateway, cast.reader, life)
                if business_date(utc_now(), ZoneInfo(ZONE)) == life.as_of:
                    progress.advance(reading)
                    return entry

    return list(await asyncio.gather(*(one(life) for life in lives)))


def _print_table(done: Done) -> None:
    table = Table("order", "external id", "client", Column("total", justify="right"), "status", "done", box=None)
    for order in done.orders:
        counts = (
            f"{len(order['project']['tasks'])} tasks, {len(order['invoices'])} invoices, {len(order['thread'])} events"
        )
        total = f"{order['total']} {order['currency']}"
        table.add_row(order["order_no"], order["external_id"], order["client"][:24], total, order["status"], counts)
    Console(width=max(console.width, TABLE_CHARACTERS), highlight=False).print(table)
    for line in done.rejected:
        wrong = "; ".join(f"{error['field'] or 'the line'}: {error['reason']}" for error in line["errors"])
        console.print(f"line {line['line']} rejected: {wrong}"[:200], style="yellow", markup=False)
    for failure in done.failures:
        console.print(f"failed: {failure}", style="red", markup=False)
    each = done.seconds / max(len(done.orders), 1)
    console.print(
        f"{len(done.orders)} orders in {done.seconds:.1f} s ({each:.2f} s each), {len(done.rejected)} rejected."
    )


def _print_sign_ins(url: str, password: str) -> None:
    console.print(f"\nportal and workbench   {url}/sign-in", markup=False)
    console.print(f"administrator          {ADMINISTRATOR} / {password}", markup=False)
    people = ", ".join(f"{person['user_id']} ({person['roles'][0]})" for person in defaults.people())
    console.print(f"demo people            password {DEMO_PASSWORD}: {people}", markup=False)
    console.print(f"client people          password {DEMO_PASSWORD}: see /users, they begin with client.", markup=False)
