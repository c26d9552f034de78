"""`orderloom repartition`: more partitions for a topic, each key staying in order."""

import argparse
import asyncio

from rich.console import Console

from contracts.topics import ORDERS
from orderloom.commands.administrator import running
from orderloom.repartition import CannotRepartition, Repartitioning

console = Console(soft_wrap=True, highlight=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("partitions", type=int, help="how many it shall have")
    parser.add_argument("--topic", default=ORDERS)


def run(arguments: argparse.Namespace) -> int:
    """Raises `CannotRepartition`."""
    stack = running(arguments.folder)
    if stack.broker.forgets:
        raise CannotRepartition("The embedded broker makes its topics anew at each start: use an Apache Kafka.")
    wanted = Repartitioning(
        stack.databases, stack.kafka, arguments.topic, arguments.partitions, stack.broker.topic_prefix
    )
    asyncio.run(wanted.run(console.print))
    return 0
