"""The command `orderloom`."""

import argparse
import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Column, Table

from orderloom import bus, hooks, ports, state, status, tansu, up
from orderloom.broker import Broker
from orderloom.commands import (
    acls,
    doctor,
    forgotten,
    keys,
    parked,
    pg,
    rebuild,
    repartition,
    republish,
    secrets,
    topics,
    trace,
    verification,
)
from orderloom.commands.administrator import NoSuchOrder, NotRunning, where
from orderloom.commands.rebuild import RebuildTooSlow
from orderloom.folder import DataFolder, FolderInUse, NotOurFolder, of_checkout
from orderloom.gateway import Refused
from orderloom.repartition import CannotRepartition
from orderloom.stack import Stack
from orderloom.topics import TopicRefused

REFUSALS = (
    NotRunning,
    NoSuchOrder,
    RebuildTooSlow,
    CannotRepartition,
    NotOurFolder,
    FolderInUse,
    bus.ServiceNotPaused,
    tansu.EmbeddedPartsMissing,
    TopicRefused,
    topics.BrokerAway,
    up.StackFailed,
)

console = Console(soft_wrap=True, highlight=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 when it did what it is for."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments) or 0)
    except REFUSALS as refusal:
        console.print(str(refusal), style="red", markup=False)
        return 1
    except Refused as refusal:
        console.print(refusal.sentence, style="red", markup=False)
        return 1
    except httpx.TransportError as failure:
        console.print(f"The gateway does not answer: {failure!r}", style="red", markup=False)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):  # a stack in the foreground was told to end
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orderloom", description="The whole stack on one machine, without Docker; and tools for any other."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_up(_command(commands, "up", _up, "start the stack and wait until it is healthy"))
    down = _command(commands, "down", _down, "stop the stack")
    down.add_argument("--wipe", action="store_true", help="remove its data as well")
    shown = _command(commands, "status", _status, "say how the stack is; exit code 0 when it is healthy")
    shown.add_argument("--json", action="store_true")
    republish.add_arguments(_command(commands, "republish", republish.run, "tell facts again that the bus has lost"))
    shown = _command(commands, "parked", parked.run, "what waits because it could not be applied: list, retry, discard")
    parked.add_arguments(shown, _data_option(default=argparse.SUPPRESS))
    verified = _command(commands, "verify-thread", verification.run, "say whether nobody changed what happened")
    verification.add_arguments(verified)
    trace.add_arguments(_command(commands, "trace", trace.run, "say what caused what in the life of an order"))
    rebuild.add_arguments(
        _command(commands, "rebuild", rebuild.run, "make a service's read model again from the archive")
    )
    doctor.add_arguments(_command(commands, "doctor", doctor.run, "look at everything that the services stand on"))
    shown = _command(
        commands, "forgotten", forgotten.run, "list facts that the bus has and their teller's database not"
    )
    forgotten.add_arguments(shown)
    pg.add_arguments(_command(commands, "pg", pg.run, "run a program of PostgreSQL, like psql, on the stack's server"))
    more = _command(commands, "repartition", repartition.run, "give a topic more partitions, each key staying in order")
    repartition.add_arguments(more)
    acls.add_arguments(_command(commands, "acls", acls.run, "print who may do what on the bus, for kafka-acls"))
    topics.add_arguments(_command(commands, "topics", topics.run, "make the topics that are missing on a Kafka"))
    secrets.add_arguments(_command(commands, "secrets", secrets.run, "make the secrets of a deployment, once"))
    shown = _command(commands, "keys", keys.run, "print the key set (JWKS) with the public halves of signing keys")
    keys.add_arguments(shown)
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
    data = _data_option(default=of_checkout(Path.cwd()))
    parser = commands.add_parser(name, parents=[data], help=purpose, description=purpose)
    parser.set_defaults(run=run)
    return parser


def _data_option(*, default: object) -> argparse.ArgumentParser:
    """A parent of parsers. Below another parser that has it, the default must not undo what was given there."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--data",
        dest="folder",
        type=lambda path: DataFolder(Path(path).resolve()),
        default=default,
        metavar="DIR",
        help="the data folder, .orderloom of this checkout unless named",
    )
    parser.add_argument(
        "--gateway",
        metavar="URL",
        default=None if default is not argparse.SUPPRESS else argparse.SUPPRESS,
        help="of a deployment, instead of the stack in the data folder; with ORDERLOOM_ADMIN_PASSWORD",
    )
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


def _defaults(arguments: argparse.Namespace) -> None:
    if not (defaults := hooks.find("defaults")):
        raise NotRunning("This checkout has no defaults.")
    defaults.install(*where(arguments))


def _demo(arguments: argparse.Namespace) -> int | None:
    if not (demo := hooks.find("demo")):
        raise NotRunning("This checkout has no demo.")
    code: int | None = demo.main(arguments)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
