import asyncio
import errno
import sys
from pathlib import Path

import psutil

from orderloom.part import Command, Part
from orderloom.processes import Identity


async def test_a_process_that_cannot_be_remembered_is_ended_and_another_is_started(tmp_path: Path) -> None:
    """As on a full disk: who is not in the state would be stopped by nobody."""
    started: list[int] = []
    is_remembered = asyncio.Event()

    def remember(name: str, identity: Identity) -> None:
        started.append(identity.pid)
        if len(started) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        is_remembered.set()

    part = Part("part", Command([sys.executable, "-c", "import time; time.sleep(60)"]), tmp_path / "log", remember)
    running = asyncio.create_task(part.keep_running())
    await asyncio.wait_for(is_remembered.wait(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert part.pid == started[1]
    assert not psutil.pid_exists(started[0])
    await part.stop()
