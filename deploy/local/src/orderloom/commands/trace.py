"""`orderloom trace`: what caused what in the life of an order, and how long each step took."""

import argparse
import asyncio
import json
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from orderloom.commands.administrator import administrator

Fact = dict[str, Any]

INDENT_COLUMNS, LINE_COLUMNS = 4, 160


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("order", metavar="ORDER", help="its id or its number")
    parser.add_argument("--json", action="store_true", help="for machines: every fact with the position of its cause")


def run(arguments: argparse.Namespace) -> None:
    facts = asyncio.run(_read(arguments))
    if arguments.json:
        print(json.dumps(facts, indent=2))
        return
    tree, depth = tree_of(facts, title=f"{arguments.order}: {len(facts)} facts")
    # As wide as its deepest line: a terminal wraps, where rich would cut.
    Console(width=depth * INDENT_COLUMNS + LINE_COLUMNS, highlight=False).print(tree)


async def _read(arguments: argparse.Namespace) -> list[Fact]:
    async with administrator(arguments) as asking:
        return await asking.all_pages("order", f"/orders/{await asking.order_id(arguments.order)}/trace")


def tree_of(facts: list[Fact], *, title: str) -> tuple[Tree, int]:
    """The tree, and how deep it is. Causes come before their effects, so that one pass is enough at any depth."""
    tree = Tree(Text(title), guide_style="dim")
    branches: dict[int | str, tuple[Tree, int]] = {}
    for fact in facts:
        cause: int | str = fact["cause_position"] or f"outside {fact['cause_id']}"
        if cause not in branches:  # it is no fact: those are there already
            branches[cause] = tree.add(Text(_outside(fact), style="bold")), 1
        branch, depth = branches[cause]
        branches[fact["position"]] = branch.add(_line(fact)), depth + 1
    return tree, max((depth for _, depth in branches.values()), default=0)


def _outside(fact: Fact) -> str:
    """What is no fact of the thread: somebody asked for it, or a timer fell due."""
    kind, _, _ = fact["actor"].partition(":")
    what = "a timer, or a message from outside" if kind == "system" else f"a request of {fact['actor']}"
    return f"{what}, at {fact['time'][:19]} ({fact['cause_id'] or 'unnamed'})"


def _line(fact: Fact) -> Text:
    after = "" if fact["ms_since_cause"] is None else f"  +{fact['ms_since_cause']:,} ms"
    actor = "" if fact["actor"].startswith("system:") else f"  {fact['actor']}"
    return Text.assemble(
        (f"{fact['position']:>3} ", "dim"), (fact["type"], "cyan"), f"  {fact['teller']}{actor}", (after, "green")
    )
