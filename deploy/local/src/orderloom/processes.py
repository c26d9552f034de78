"""Processes as they are remembered on disk: a pid alone may meanwhile be somebody else's."""

import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

POLL_SECONDS = 0.02
KILL_SECONDS = 5.0
CLOCK_SLACK_SECONDS = 2.0
"""The kernel counts a start from boot; when the clock is set, the same start reads a little different."""


@dataclass(frozen=True)
class Identity:
    """A process: its pid, and when it started, in seconds since the epoch."""

    pid: int
    started: float

    def find(self) -> psutil.Process | None:
        """Return the process while it lives, and None once it is gone or its pid is another's."""
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.started) < CLOCK_SLACK_SECONDS
            return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    @property
    def is_alive(self) -> bool:
        return self.find() is not None


def identify(pid: int) -> Identity:
    """Return who has `pid` now; one that has already ended is never found again."""
    try:
        return Identity(pid, psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return Identity(pid, 0.0)


def stop(identities: Sequence[Identity], *, by: signal.Signals, patience_seconds: float) -> None:
    """Ask those still alive to end, wait, and kill who has not ended in time. Return when all are gone."""
    for number, seconds in ((by, patience_seconds), (signal.SIGKILL, KILL_SECONDS)):
        for identity in identities:
            if process := identity.find():
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)
        if _are_gone_within(seconds, identities):
            return


def _are_gone_within(seconds: float, identities: Sequence[Identity]) -> bool:
    """Not by psutil's own waiting, for which a dead process that init has not yet buried is still there."""
    deadline = time.monotonic() + seconds
    while any(identity.is_alive for identity in identities):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
