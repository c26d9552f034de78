"""`orderloom forgotten`: what services have told and their databases do not know, after a database was set back.

Elsewhere each service says it itself: `python -m finance.app forgotten`, with its environment and on its network.
"""

import argparse
import os
import subprocess

from rich.console import Console

from contracts.topics import SERVICES
from orderloom.commands.administrator import running

console = Console(soft_wrap=True, highlight=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", choices=SERVICES, help="only of this one; else of all")


def run(arguments: argparse.Namespace) -> int:
    """1 when something is forgotten."""
    stack, count = running(arguments.folder), 0
    for service in [arguments.service] if arguments.service else SERVICES:
        command = stack.tool(service, "forgotten")
        environment = os.environ | dict(command.environment)
        done = subprocess.run(command.arguments, env=environment, stdout=subprocess.PIPE, text=True)
        if done.returncode not in (0, 1):
            return done.returncode
        facts = done.stdout.splitlines()
        for fact in facts:
            console.print(f"{service} {fact}", markup=False)
        count += len(facts)
    console.print(f"{count} facts are forgotten by who told them." if count else "Nothing is forgotten.")
    return 1 if count else 0
