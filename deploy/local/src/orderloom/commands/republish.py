"""`orderloom republish`: facts told again, by the services that told them or, after the loss of a broker, by all."""

import argparse
import asyncio
import re
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console

from chassis.clock import utc_now
from contracts.topics import DIRECTORY, SERVICES
from orderloom import bus, republish, state
from orderloom.commands.administrator import administrator, running
from orderloom.stack import Stack

console = Console(soft_wrap=True, highlight=False)

BUS_LOCK_SECONDS = 60.0
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--service", choices=SERVICES, help="only what this one has told; else what each has")
    parser.add_argument("--since", type=instant, metavar="T", help="like 2026-11-23T08:00:00+08:00, or 30m, 2h, 3d ago")
    parser.add_argument("--order", metavar="ORDER", help="only about this order, by its id or its number")
    parser.add_argument("--directory", action="store_true", help=f"only the topic {DIRECTORY}, from the beginning")


def instant(said: str) -> datetime:
    """A moment with its zone, or so long ago."""
    if ago := re.fullmatch(r"(\d{1,6})([mhd])", said):
        return utc_now() - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    moment = datetime.fromisoformat(said)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"say the zone too, like {said}+00:00")
    return moment


def run(arguments: argparse.Namespace) -> int:
    if arguments.since or arguments.order:
        return asyncio.run(_ask_services(arguments))
    if arguments.service:
        console.print("Say since when, or about which order: --since, --order.", style="red")
        return 1
    stack = running(arguments.folder)
    count = asyncio.run(_republish_to(stack, only_topics=[DIRECTORY] if arguments.directory else None))
    console.print(f"Told {count} facts again.")
    return 0


async def _ask_services(arguments: argparse.Namespace) -> int:
    async with administrator(arguments) as asking:
        body: dict[str, Any] = {"since": arguments.since.isoformat() if arguments.since else None}
        body["order_id"] = await asking.order_id(arguments.order) if arguments.order else None
        if arguments.directory:
            body["topics"] = [DIRECTORY]
        for service in [arguments.service] if arguments.service else SERVICES:
            done = await asking.post(service, "/admin/republish", body)
            console.print(f"{service} tells {done['republished']} facts again.")
    return 0


async def _republish_to(stack: Stack, *, only_topics: list[str] | None) -> int:
    """By one process for all, while the bus side of every service rests: a broker that forgot has lost their order."""
    known = state.load(stack.folder.state).processes
    services = [bus.Service(name, known[name].pid, stack.url(name)) for name in stack.workers if known[name].is_alive]
    async with stack.folder.locked("bus", patience_seconds=BUS_LOCK_SECONDS), bus.resting(services):
        prefix = stack.broker.topic_prefix
        return await republish.republish(stack.databases, stack.kafka, only_topics=only_topics, topic_prefix=prefix)
