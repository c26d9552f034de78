"""`orderloom parked`: what waits because it could not be applied, and what to do about it."""

import argparse
import asyncio
import json
from typing import Any
from urllib.parse import quote

from rich.console import Console

from contracts.topics import SERVICES
from orderloom.commands.administrator import administrator
from orderloom.gateway import Refused

console = Console(soft_wrap=True, highlight=False)
errors = Console(soft_wrap=True, highlight=False, stderr=True)

REASON_CHARACTERS = 300
"""Shown in the list; `parked show` has all of it."""


def add_arguments(parser: argparse.ArgumentParser, data: argparse.ArgumentParser) -> None:
    """`data` is the option that every command takes."""
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.set_defaults(act=show_all)
    actions = parser.add_subparsers(metavar="ACTION")
    listed = actions.add_parser("list", parents=[data], help="the keys that wait, of all services (the default)")
    listed.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="for machines")
    listed.set_defaults(act=show_all)
    shown = _of_one_key(actions.add_parser("show", parents=[data], help="the messages of one key"))
    shown.add_argument("--json", action="store_true", help="for machines, with every header and the whole bodies")
    shown.set_defaults(act=show_one)
    retried = _of_one_key(actions.add_parser("retry", parents=[data], help="apply them in order, all or nothing"))
    retried.add_argument("--however-old", action="store_true", help="even what is older than the inbox remembers")
    retried.set_defaults(act=retry)
    discarded = _of_one_key(
        actions.add_parser("discard", parents=[data], help="give the first message up, and apply the others")
    )
    discarded.add_argument("--reason", required=True, help="kept with what is discarded")
    which = discarded.add_mutually_exclusive_group()
    which.add_argument("--event", action="append", default=[], metavar="ID", help="this message instead of the first")
    which.add_argument("--all", action="store_true", help="every message of the key")
    discarded.set_defaults(act=discard)


def _of_one_key(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("consumer", help="as it is listed, like gateway.view")
    parser.add_argument("key", help="as it is listed: on orders, the id of the order")
    return parser


def run(arguments: argparse.Namespace) -> int:
    return int(asyncio.run(arguments.act(arguments)) or 0)


async def show_all(arguments: argparse.Namespace) -> int:
    """1 when a service could not be asked: what it has parked is not in the list."""
    keys: list[dict[str, Any]] = []
    away: list[str] = []
    async with administrator(arguments) as asking:
        for service in SERVICES:
            try:
                keys += await asking.all_pages(service, "/admin/parked")
            except Refused as refusal:
                away.append(f"{service} could not be asked: {refusal}")
    if arguments.json:
        print(json.dumps(keys, indent=2))
    else:
        _print_keys(keys)
    for sentence in away:
        errors.print(sentence, style="red", markup=False)
    return 1 if away else 0


def _print_keys(keys: list[dict[str, Any]]) -> None:
    """No table: consumer and key are there to be copied into the next command."""
    if not keys:
        console.print("Nothing is parked.")
    for key in keys:
        waits_for = "a fact that it needs" if key["waits"] else "somebody"
        since = f"{_counted(key['messages'])} since {key['parked_at'][:19]}, waits for {waits_for}"
        console.print(f"{key['consumer']} {key['key']}: {since}", markup=False)
        console.print(f"    {' '.join(key['reason'].split())[:REASON_CHARACTERS]}", markup=False)


async def show_one(arguments: argparse.Namespace) -> None:
    service, path = _place(arguments)
    async with administrator(arguments) as asking:
        messages = await asking.all_pages(service, f"{path}/messages", key=arguments.key)
        if arguments.json:
            whole = [await asking.get(service, f"{path}/messages/{m['event_id']}", key=arguments.key) for m in messages]
            print(json.dumps(whole, indent=2, ensure_ascii=False))
            return
        (key,) = (await asking.get(service, "/admin/parked", consumer=arguments.consumer, key=arguments.key))["items"]
    console.print(f"{key['consumer']} has parked {key['key']} since {key['parked_at'][:19]}", markup=False)
    console.print(f"because {key['reason']}", markup=False)
    for number, message in enumerate(messages, start=1):
        _print_message(number, message)


async def retry(arguments: argparse.Namespace) -> None:
    service, path = _place(arguments)
    async with administrator(arguments) as asking:
        body = {"key": arguments.key, "however_old": arguments.however_old}
        done = await asking.post(service, f"{path}/retry", body)
    console.print(f"Applied {_counted(done['applied'])}. {arguments.key} flows again.", markup=False)


async def discard(arguments: argparse.Namespace) -> None:
    service, path = _place(arguments)
    body = {"key": arguments.key, "reason": arguments.reason, "event_ids": arguments.event, "all": arguments.all}
    async with administrator(arguments) as asking:
        done = await asking.post(service, f"{path}/discard", body)
    applied = f"applied {_counted(done['applied'])}"
    console.print(f"Discarded {_counted(done['discarded'])}, {applied}. {arguments.key} flows again.", markup=False)


def _place(arguments: argparse.Namespace) -> tuple[str, str]:
    """A consumer is named after its service."""
    service = arguments.consumer.partition(".")[0]
    return service, f"/admin/parked/{quote(arguments.consumer, safe='')}"


def _print_message(number: int, message: dict[str, Any]) -> None:
    told = f"told by {message['source']} at {message['time']} on {message['topic']}"
    console.print(f"\n{number}. {message['type']} {message['event_id']}, {told}", markup=False)
    try:
        console.print_json(message["body"], ensure_ascii=False)
    except ValueError:  # it may be parked because it is no JSON, or be cut
        console.print(message["body"], markup=False)


def _counted(messages: int) -> str:
    return f"{messages} message{'' if messages == 1 else 's'}"
