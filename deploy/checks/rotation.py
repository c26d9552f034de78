"""The signing key is changed on a running stack, as the runbook says, while somebody is signed in.

`make rotation-check ARGS="--json FILE"`: nobody is signed out, the open page goes on, tokens of both keys are good
while both are trusted, and those of the old key are refused when it is taken out.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt

from bench import machine
from chassis.tokens import KEYS_KEPT_SECONDS, RELOAD_SECONDS, VERIFIED_SECONDS
from checks.backup import CommandFailed, orderloom
from contracts.topics import SERVICES
from orderloom import keys, up
from orderloom.defaults import ADMINISTRATOR
from orderloom.folder import DataFolder, secret_once
from orderloom.stack import Stack

ASK_EVERY_SECONDS = 0.2
SHOWN_SECONDS = 15.0
"""How long it is looked at what a step has changed."""


class SignedOut(Exception):
    """Somebody was, or should have been and was not."""


@dataclass
class Person:
    """Asks every service again and again with one token, and has a page open."""

    stack: Stack
    token: str
    answers: dict[str, Counter[int]] = field(default_factory=lambda: {name: Counter() for name in SERVICES})
    beats: int = 0
    streams: int = 0

    @property
    def key_id(self) -> str:
        return str(jwt.get_unverified_header(self.token)["kid"])

    async def ask(self) -> None:
        """Until cancelled. Each service itself, not through the gateway."""
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {self.token}"}, trust_env=False) as http:
            while True:
                for service in SERVICES:
                    answer = await http.get(f"{self.stack.url(service)}{PATHS[service]}")
                    self.answers[service][answer.status_code] += 1
                await asyncio.sleep(ASK_EVERY_SECONDS)

    async def watch(self) -> None:
        """The stream of an open page, until cancelled; opened again when it ends."""
        cookies = {"orderloom_session": self.token}
        async with httpx.AsyncClient(cookies=cookies, timeout=None, trust_env=False) as http:
            while True:
                async with http.stream("GET", f"{self.stack.url('gateway')}/events") as answer:
                    self.streams += 1
                    async for line in answer.aiter_lines():
                        self.beats += line.startswith("event:")
                await asyncio.sleep(1)

    def refused(self) -> dict[str, int]:
        return {service: count for service in SERVICES if (count := self.answers[service][401])}


PATHS = {
    "order": "/orders",
    "project": "/people",
    "finance": "/invoices",
    "notify": "/notices",
    "gateway": "/auth/me",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="where to keep what was seen")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orderloom-rotation-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user when we are root
        try:
            seen = asyncio.run(check(DataFolder(Path(folder) / "data")))
        except (SignedOut, CommandFailed, up.StackFailed) as reason:
            print(f"FAILED: {reason}", file=sys.stderr)
            return 1
    text = json.dumps(seen, indent=1) + "\n"
    print(text)
    if arguments.json:
        arguments.json.write_text(text)
    return 0


async def check(folder: DataFolder) -> dict[str, Any]:
    """Raises `SignedOut`, `StackFailed`."""
    taken_on = machine.facts()
    try:
        await up.up(folder, up.Wanted(is_apart=True), print)
        stack = Stack.of(folder)
        before = Person(stack, await signed_in(stack))
        async with asyncio.TaskGroup() as living:
            tasks = [living.create_task(before.ask()), living.create_task(before.watch())]
            seen = await rotate(folder, before, living, tasks)
            for task in tasks:
                task.cancel()
    finally:
        await up.down(folder)
    return seen | {"taken_on": taken_on}


async def rotate(
    folder: DataFolder, before: Person, living: asyncio.TaskGroup, tasks: list[asyncio.Task[None]]
) -> dict[str, Any]:
    new = folder.path / "new.pem"
    new.write_text(keys.new_signing_key())
    folder.jwks.write_text(orderloom(folder, "keys", str(folder.signing_key), str(new)))
    await asyncio.sleep(RELOAD_SECONDS)
    folder.signing_key.write_text(new.read_text())

    after = Person(before.stack, await signed_in(before.stack))
    if after.key_id == before.key_id:
        raise SignedOut("The gateway signs with the old key.")
    tasks += [living.create_task(after.ask()), living.create_task(after.watch())]
    await asyncio.sleep(SHOWN_SECONDS)
    overlap = {"with the old key": shown(before), "with the new key": shown(after)}
    if before.refused() or after.refused() or before.streams != 1:
        raise SignedOut(json.dumps(overlap))

    folder.jwks.write_text(orderloom(folder, "keys", str(folder.signing_key)))
    refused_after: dict[str, float] = {}
    begun = time.monotonic()
    with suppress(TimeoutError):
        async with asyncio.timeout(KEYS_KEPT_SECONDS + VERIFIED_SECONDS + SHOWN_SECONDS):
            while len(refused_after) < len(SERVICES):
                await asyncio.sleep(ASK_EVERY_SECONDS)
                for service in set(before.refused()) - set(refused_after):
                    refused_after[service] = round(time.monotonic() - begun, 1)
    if len(refused_after) < len(SERVICES) or after.refused():
        raise SignedOut(f"refused with the old key after {refused_after}, with the new one {after.refused()}")
    return {"overlap": overlap, "old_key_refused_after_seconds": refused_after, "new_key": shown(after)}


def shown(person: Person) -> dict[str, Any]:
    """By service and status, how often it was answered; and the stream."""
    answers = {service: dict(sorted(counts.items())) for service, counts in person.answers.items()}
    return {"answers": answers, "streams": person.streams, "beats": person.beats}


async def signed_in(stack: Stack) -> str:
    """The administrator's token."""
    body = {"user": ADMINISTRATOR, "password": secret_once(stack.folder.admin_password)}
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = (await http.post(f"{stack.url('gateway')}/auth/sign-in", json=body)).raise_for_status()
    return str(answer.json()["token"])


if __name__ == "__main__":
    sys.exit(main())
