"""Places at which a process can be made to die, for trials of what a kill costs.

A point is armed by a file `<service>.<point>` in the folder of the setting `failpoints`; the process of that service
that reaches the point first removes the file and kills itself, as by `kill -9`. The settings refuse the folder unless
they say that this is a trial.
"""

import os
import signal
from pathlib import Path

BEFORE_PUBLISH = "before-publish"
"""The facts are committed, and no broker has heard of them."""
BEFORE_MARK = "before-mark"
"""The broker has them, and the outbox does not know."""
BEFORE_ACKNOWLEDGE = "before-acknowledge"
"""The effects are committed, and the offsets are not."""
BEFORE_ANSWER = "before-answer"
"""A request's effects are committed, and its sender does not know."""

POINTS = (BEFORE_PUBLISH, BEFORE_MARK, BEFORE_ACKNOWLEDGE, BEFORE_ANSWER)


class Failpoints:
    """Of one process. Without a folder, as in production, nothing is looked at."""

    def __init__(self, folder: Path | None, *, service: str) -> None:
        self._armed = {point: folder / f"{service}.{point}" for point in POINTS} if folder else {}

    def reach(self, point: str) -> None:
        """Die here, if it is armed."""
        if not self._armed:
            return
        try:
            self._armed[point].unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
