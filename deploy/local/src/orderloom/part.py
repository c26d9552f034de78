"""One process of the stack: started, watched, stopped."""

import asyncio
import logging
import os
import signal
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from orderloom.processes import Identity, identify

log = logging.getLogger(__name__)

STOP_SECONDS = 15.0
BACKOFF_FIRST_SECONDS = 0.1
BACKOFF_MAX_SECONDS = 5.0
STEADY_SECONDS = 10.0
"""Who lived this long did not fail at its start: the next restart is at once again."""
LOG_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True)
class Command:
    """What to run, as whom and where, and which signal asks it to end."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of the supervisor."""
    os_user: str | None = None
    folder: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM

    @property
    def ownership(self) -> dict[str, Any]:
        """The arguments of Popen that make the process `os_user`'s, and nothing of ours besides."""
        return {"user": self.os_user, "group": self.os_user, "extra_groups": []} if self.os_user else {}


class Backoff:
    """How long to wait before the next restart: longer after each early death."""

    def __init__(self) -> None:
        self._seconds = BACKOFF_FIRST_SECONDS
        self._begun = time.monotonic()

    def begin(self) -> None:
        self._begun = time.monotonic()

    async def wait(self) -> None:
        if time.monotonic() - self._begun > STEADY_SECONDS:
            self._seconds = BACKOFF_FIRST_SECONDS
        await asyncio.sleep(self._seconds)
        self._seconds = min(self._seconds * 2, BACKOFF_MAX_SECONDS)


class Part:
    """`on_start` is told who the process is, each time one was started."""

    def __init__(self, name: str, command: Command, log_file: Path, on_start: Callable[[str, Identity], None]) -> None:
        self.name = name
        self._command = command
        self._log_file = log_file
        self._on_start = on_start
        self._process: Process | None = None

    async def keep_running(self, start: Callable[[], Awaitable[None]] | None = None) -> None:
        """Start the process, with `start` where that takes more than itself, again and again until cancelled."""
        backoff = Backoff()
        while True:
            backoff.begin()
            try:
                await (start or self.start)()
                log.warning("%s ended with code %s and is started again", self.name, await self.ended())
            except OSError as reason:  # a full disk, on which it can be neither logged nor remembered
                log.warning("%s could not be started: %r", self.name, reason)
                await self.stop()
            await backoff.wait()

    async def start(self) -> None:
        with self._open_log() as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command.arguments,
                env=os.environ | dict(self._command.environment),
                cwd=self._command.folder,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,  # the Ctrl-C of a terminal is for the supervisor, which stops its parts in order
                **self._command.ownership,
            )
        log.info("%s started with pid %s", self.name, self._process.pid)
        self._on_start(self.name, identify(self._process.pid))

    @property
    def pid(self) -> int | None:
        """The pid while the process runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def ended(self) -> int:
        """Wait for the end of the process and return its exit code, negative for the signal that killed it."""
        return await self._process.wait() if self._process else 0

    async def stop(self) -> None:
        """Ask the process to end, kill it when it has not ended in time, return when it is gone."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(self._command.stop_signal)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    def _open_log(self) -> BinaryIO:
        if self._log_file.exists() and self._log_file.stat().st_size > LOG_BYTES_MAX:
            self._log_file.replace(self._log_file.with_suffix(".log.1"))
        return self._log_file.open("ab")
