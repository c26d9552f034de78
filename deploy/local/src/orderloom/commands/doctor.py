"""`orderloom doctor`: what every service stands on, looked at by the services themselves, and said in words.

A service that does not start cannot be asked: its own command, `python -m order.app doctor`, looks at the same.
"""

import argparse
import asyncio
import json
from typing import Any

from rich.console import Console

from contracts.topics import SERVICES
from orderloom.commands.administrator import Administrator, administrator
from orderloom.gateway import Refused

console = Console(soft_wrap=True, highlight=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    """1 when something is not well."""
    findings = asyncio.run(_ask(arguments))
    if arguments.json:
        print(json.dumps(findings, indent=2))
    else:
        for each in findings:
            style = "green" if each["is_well"] else "red"
            console.print("ok " if each["is_well"] else "BAD", style=style, end=" ")
            console.print(f"{each['service']}, {each['about']}: {each['says']}", markup=False)
    return 0 if all(each["is_well"] for each in findings) else 1


async def _ask(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    async with administrator(arguments) as asking:
        found = await asyncio.gather(*(_of_service(asking, service) for service in SERVICES))
    return [{"service": service, **each} for service, of in zip(SERVICES, found, strict=True) for each in of]


async def _of_service(asking: Administrator, service: str) -> list[dict[str, Any]]:
    try:
        findings: list[dict[str, Any]] = await asking.get(service, "/admin/diagnosis")
    except Refused as refusal:
        return [{"about": "service", "is_well": False, "says": f"It could not be asked: {refusal}"}]
    return findings
