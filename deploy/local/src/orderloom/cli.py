"""The command `orderloom`."""

import argparse
import asyncio
import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from contracts import acls
from contracts.topics import DIRECTORY, ERP, ORDERS
from orderloom import bus, hooks, parked, ports, state, status, up
from orderloom.broker import Broker
from orderloom.folder import DataFolder, FolderInUse, NotOurFolder, of_checkout, secret_once
from orderloom.repartition import CannotRepartition, Repartitioning
from orderloom.republish import republish
from orderloom.stack import Stack

BUS_LOCK_SECONDS = 60.0

console = Console(soft_wrap=True, highlight=False)


class NotRunning(Exception):
    """The command needs a running stack, or a part of this checkout that is not there."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 when it did what it is for."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments) or 0)
    except (NotRunning, NotOurFolder, FolderInUse, bus.ServiceNotPaused, up.StackFailed, CannotRepartition) as refusal:
        console.print(str(refusal), style="red", markup=False)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):  # a stack in the foreground was told to end
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="orderloom", description="The whole stack on one machine, without Docker.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_up(_command(commands, "up", _up, "start the stack and wait until it is healthy"))
    down = _command(commands, "down", _down, "stop the stack")
    down.add_argument("--wipe", action="store_true", help="remove its data as well")
    shown = _command(commands, "status", _status, "say how the stack is; exit code 0 when it is healthy")
    shown.add_argument("--json", action="store_true")
    again = _command(commands, "republish", _republish, "tell the facts of the outboxes again")
    again.add_argument("--directory", action="store_true", help=f"only the topic {DIRECTORY}, from the beginning")
    _command(commands, "parked", _parked, "list the keys whose messages wait because one could not be applied")
    more = _command(commands, "repartition", _repartition, "give a topic more partitions, each key staying in order")
    more.add_argument("partitions", type=int, help="how many it shall have")
    more.add_argument("--topic", default=ORDERS)
    allowed = _command(commands, "acls", _acls, "print who may do what on the bus, as arguments of kafka-acls")
    allowed.add_argument("--system", action="append", metavar="NAME", help="the user name of a system outside")
    allowed.add_argument("--topic-prefix", default="")
    _command(commands, "defaults", _defaults, "install the data files of the defaults")
    demo = _command(commands, "demo", _demo, "take orders through their whole life and leave the portal running")
    if module := hooks.find("demo"):
        module.add_arguments(demo)
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int | None],
    purpose: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=purpose, description=purpose)
    parser.add_argument(
        "--data",
        dest="folder",
        type=lambda path: DataFolder(Path(path).resolve()),
        default=of_checkout(Path.cwd()),
        metavar="DIR",
        help="the data folder, .orderloom of this checkout unless named",
    )
    parser.set_defaults(run=run)
    return parser


def _add_up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--foreground", action="store_true", help="stay here; Ctrl-C stops the stack")
    brokers = parser.add_mutually_exclusive_group()
    brokers.add_argument("--kafka", metavar="HOST:PORT", help="use this Kafka, and at later starts too")
    brokers.add_argument("--apache-kafka", action="store_true", help="run an Apache Kafka of its own (needs Java)")
    brokers.add_argument("--embedded-kafka", action="store_true", help="go back to the embedded broker")
    parser.add_argument(
        "--apart", action=argparse.BooleanOptionalAction, help="APIs and workers in processes of their own; kept"
    )
    parser.add_argument("--topic-prefix", default="", help="with --kafka: before every topic and consumer group")
    parser.add_argument("--port", type=ports.assignment, action="append", default=[], metavar="NAME=N", dest="ports")
    for name in ports.NAMES:
        parser.add_argument(
            f"--port-{name}",
            type=lambda number, name=name: ports.assignment(f"{name}={number}"),  # type: ignore[misc]
            action="append",
            dest="ports",
            metavar="N",
            help="kept for later starts",
        )


def _up(arguments: argparse.Namespace) -> None:
    folder: DataFolder = arguments.folder
    wanted = up.Wanted(dict(arguments.ports), _wanted_broker(arguments), arguments.apart)
    if arguments.foreground and not state.load(folder.state).is_supervised:
        asyncio.run(up.run(folder, wanted, console.print, lambda: _print_addresses(folder)))
    else:
        asyncio.run(up.up(folder, wanted, console.print))
        _print_addresses(folder)


def _wanted_broker(arguments: argparse.Namespace) -> Broker | None:
    if arguments.kafka:
        return Broker("elsewhere", arguments.kafka, arguments.topic_prefix)
    if arguments.apache_kafka:
        return Broker("apache")
    return Broker() if arguments.embedded_kafka else None


def _print_addresses(folder: DataFolder) -> None:
    stack = Stack.of(folder)
    places = {**stack.addresses, "data": str(folder.path), "admin password in": str(folder.admin_password)}
    if folder.postgres.is_symlink():
        places["data of postgres"] = f"{folder.postgres.resolve()}, where its operating system user can reach it"
    for name, place in places.items():
        console.print(f"{name:20}{place}")


def _down(arguments: argparse.Namespace) -> None:
    folder: DataFolder = arguments.folder
    asyncio.run(up.down(folder))
    if arguments.wipe and folder.path.exists():
        folder.wipe()
    console.print(f"The stack in {folder.path} is down{' and its data removed' if arguments.wipe else ''}.")


def _status(arguments: argparse.Namespace) -> int:
    read = asyncio.run(status.read(Stack.of(arguments.folder)))
    if arguments.json:
        print(json.dumps(read.as_json(), indent=2))
    else:
        _print_status(read)
    return 0 if read.healthy else 1


def _print_status(read: status.Status) -> None:
    table = Table("part", "health", "pid", Column("address", overflow="fold"))
    for name, part in read.parts.items():
        health = "[green]healthy[/]" if part.healthy else f"[red]{part.complaint}[/]"
        table.add_row(name, health, " ".join(map(str, part.pids)), read.addresses.get(name, ""))
    console.print(table)
    console.print(f"Parked keys: {'unknown' if read.parked is None else read.parked}")


def _republish(arguments: argparse.Namespace) -> None:
    stack = _running(arguments.folder)
    count = asyncio.run(_republish_to(stack, only_topic=DIRECTORY if arguments.directory else None))
    console.print(f"Told {count} facts again.")


async def _republish_to(stack: Stack, *, only_topic: str | None) -> int:
    known = state.load(stack.folder.state).processes
    services = [bus.Service(name, known[name].pid, stack.url(name)) for name in stack.workers if known[name].is_alive]
    async with stack.folder.locked("bus", patience_seconds=BUS_LOCK_SECONDS), bus.resting(services):
        prefix = stack.broker.topic_prefix
        return await republish(stack.databases, stack.kafka, only_topic=only_topic, topic_prefix=prefix)


def _repartition(arguments: argparse.Namespace) -> None:
    stack = _running(arguments.folder)
    if stack.broker.forgets:
        raise CannotRepartition("The embedded broker makes its topics anew at each start: use an Apache Kafka.")
    wanted = Repartitioning(
        stack.databases, stack.kafka, arguments.topic, arguments.partitions, stack.broker.topic_prefix
    )
    asyncio.run(wanted.run(console.print))


def _acls(arguments: argparse.Namespace) -> None:
    for grant in acls.grants(arguments.topic_prefix, systems=arguments.system or [ERP]):
        console.print(shlex.join(acls.arguments(grant)), markup=False)


def _parked(arguments: argparse.Namespace) -> None:
    table = Table("service", "consumer", "key", "since", "reason")
    for key in asyncio.run(parked.keys(_running(arguments.folder).databases)):
        table.add_row(key.service, key.consumer, key.key, f"{key.parked_at:%Y-%m-%d %H:%M:%S %Z}", key.reason)
    console.print(table if table.row_count else "Nothing is parked.")


def _defaults(arguments: argparse.Namespace) -> None:
    stack = _running(arguments.folder)
    if not (defaults := hooks.find("defaults")):
        raise NotRunning("This checkout has no defaults.")
    defaults.install(stack.url("gateway"), secret_once(stack.folder.admin_password))


def _demo(arguments: argparse.Namespace) -> int | None:
    if not (demo := hooks.find("demo")):
        raise NotRunning("This checkout has no demo.")
    code: int | None = demo.main(arguments)
    return code


def _running(folder: DataFolder) -> Stack:
    if not state.load(folder.state).is_supervised:
        raise NotRunning(f"No stack runs in {folder.path}: start it with `orderloom up`.")
    return Stack.of(folder)


if __name__ == "__main__":
    raise SystemExit(main())
