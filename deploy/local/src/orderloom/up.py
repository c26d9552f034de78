"""`orderloom up` and `orderloom down`: the supervisor is started and waited for, told to end and waited for."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from contracts.topics import SERVICES
from orderloom import processes, state, status
from orderloom.broker import Broker
from orderloom.folder import DataFolder
from orderloom.part import STOP_SECONDS
from orderloom.ports import WORKERS
from orderloom.stack import Stack
from orderloom.supervisor import supervise

HEALTHY_SECONDS = 240.0
POLL_SECONDS = 0.1
DOWN_SECONDS = 3 * STOP_SECONDS + 5
"""Services, then broker and mail, then PostgreSQL may each take their time."""
LOG_LINES = 30


@dataclass(frozen=True)
class Wanted:
    """What a start asks for beside what the folder keeps: ports by name, another broker."""

    ports: Mapping[str, int] = field(default_factory=dict)
    broker: Broker | None = None
    is_apart: bool | None = None


Tell = Callable[[str], None]
"""Takes a line about the progress."""


class StackFailed(Exception):
    """The stack did not become healthy. The message ends with the log of the part to blame."""


async def up(folder: DataFolder, wanted: Wanted, tell: Tell) -> None:
    """Start the stack in a session of its own, unless it runs, and return when it is healthy. Raise StackFailed."""
    folder.create()
    if state.load(folder.state).is_supervised:
        tell(f"The stack in {folder.path} is running already{_as_it_was_started(wanted)}.")
        return await _until_healthy(folder, lambda: False, tell)
    supervisor = _start_supervisor(folder, wanted)
    await _until_healthy(folder, lambda: supervisor.poll() is None, tell)


async def run(folder: DataFolder, wanted: Wanted, tell: Tell, healthy: Callable[[], None]) -> None:
    """Run the stack in this process until it is cancelled; call `healthy` once. Raise StackFailed, FolderInUse."""
    supervising = asyncio.create_task(supervise(folder, wanted.ports, wanted.broker, wanted.is_apart))
    try:
        await _until_healthy(folder, lambda: not supervising.done(), tell)
        healthy()
        await supervising
    finally:
        supervising.cancel()
        await asyncio.wait([supervising])


async def down(folder: DataFolder) -> None:
    """Stop the supervisor and its parts, also those an earlier supervisor left, and return when all are gone."""
    if not folder.is_ours:
        return
    known = state.load(folder.state)
    if state.SUPERVISOR in known.processes:
        supervisor = known.processes[state.SUPERVISOR]
        await asyncio.to_thread(processes.stop, [supervisor], by=signal.SIGTERM, patience_seconds=DOWN_SECONDS)
    async with folder.locked("supervisor", patience_seconds=STOP_SECONDS):
        state.stop_processes(state.load(folder.state))
        state.State().save(folder.state)


def _as_it_was_started(wanted: Wanted) -> str:
    return ", as it was started: stop it first to change that" if wanted != Wanted() else ""


def _start_supervisor(folder: DataFolder, wanted: Wanted) -> "subprocess.Popen[bytes]":
    options = [option for name, port in wanted.ports.items() for option in ("--port", f"{name}={port}")]
    options += ["--broker", json.dumps(asdict(wanted.broker))] if wanted.broker else []
    options += [] if wanted.is_apart is None else ["--apart" if wanted.is_apart else "--no-apart"]
    with folder.log(state.SUPERVISOR).open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "orderloom.supervisor", "--data", folder.path, *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


async def _until_healthy(folder: DataFolder, is_starting: Callable[[], bool], tell: Tell) -> None:
    deadline = time.monotonic() + HEALTHY_SECONDS
    told = ""
    while True:
        known = state.load(folder.state)
        if known.is_supervised:
            if (line := _progress(known)) != told:
                tell(told := line)
            if known.phase == state.READY and (await status.read(Stack.of(folder))).healthy:
                return
        elif not is_starting():
            raise StackFailed(f"The stack has stopped: {known.failure}\n{_blame(folder, known)}")
        if time.monotonic() > deadline:
            raise StackFailed(f"Not healthy after {HEALTHY_SECONDS:.0f} s.\n{_blame(folder, known)}")
        await asyncio.sleep(POLL_SECONDS)


def _progress(known: state.State) -> str:
    services = [name for name in known.waiting_for if name in (*SERVICES, *WORKERS)]
    return f"{known.phase}: {', '.join(services)}" if services else known.phase


def _blame(folder: DataFolder, known: state.State) -> str:
    """Return the end of the log of the part that keeps the stack from being healthy."""
    log: Path = folder.log(known.waiting_for[0] if known.waiting_for else state.SUPERVISOR)
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:] if log.exists() else []
    return "\n".join([f"The end of {log}:", *lines])
