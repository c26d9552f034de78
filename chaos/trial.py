"""The stack on trial, as faults and checks reach it: processes, databases, broker; and the record of what was done."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from chassis.kafka import KafkaSettings
from orderloom import state, status
from orderloom.folder import DataFolder, secret_once
from orderloom.stack import Stack

POLL_SECONDS = 0.2


@dataclass
class Trial:
    """`say` prints a line; `done` keeps what happened when, in seconds since the start."""

    folder: DataFolder
    randomness: random.Random
    say: Callable[[str], None]
    has_own_disk: bool = False
    started: float = field(default_factory=time.monotonic)
    done: list[dict[str, Any]] = field(default_factory=list)
    poison_keys: set[str] = field(default_factory=set)
    """Keys under which something was sent that has to be parked."""

    @property
    def stack(self) -> Stack:
        return Stack.of(self.folder)

    @property
    def failpoints(self) -> Path:
        return failpoints_of(self.folder)

    @property
    def kafka(self) -> KafkaSettings:
        return self.stack.kafka

    @property
    def admin_password(self) -> str:
        return secret_once(self.folder.admin_password)

    def note(self, what: str, **more: Any) -> None:
        self.done.append({"at_seconds": round(time.monotonic() - self.started, 1), "what": what, **more})
        self.say(f"{time.monotonic() - self.started:7.1f} s  {what}")

    def signal(self, part: str, number: signal.Signals) -> bool:
        """Whether there was a process to tell."""
        identity = state.load(self.folder.state).processes.get(part)
        if identity is None or not identity.is_alive:
            return False
        with suppress(ProcessLookupError):
            os.kill(identity.pid, number)
        return True

    def family(self, part: str) -> list[psutil.Process]:
        """The process of `part` and all under it; none when it is down."""
        identity = state.load(self.folder.state).processes.get(part)
        process = identity.find() if identity else None
        return [process, *process.children(recursive=True)] if process else []

    async def query(self, database: str, statement: str, *values: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.stack.databases[database])
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def health(self) -> status.Status:
        return await status.read(self.stack)

    async def until_healthy(self, patience_seconds: float) -> bool:
        deadline = time.monotonic() + patience_seconds
        while not (await self.health()).healthy:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True


def failpoints_of(folder: DataFolder) -> Path:
    return folder.path / "failpoints"
