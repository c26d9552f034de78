"""Runs in every Python process of a trial, before anything else: its clock follows what a file says.

Python imports a module of this name from PYTHONPATH by itself. The services know nothing of it. Clocks that measure
(`time.monotonic`) go on as they were, as they do when a machine's clock is set.
"""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

LOOK_SECONDS = 0.5


def _follow(file: Path) -> None:
    travel: time_machine.travel | None = None
    ahead = 0.0
    while True:
        try:
            wanted = float(file.read_text())
        except (OSError, ValueError):  # not there, or being written
            wanted = ahead
        if wanted != ahead:
            if travel is not None:
                travel.stop()
            travel = time_machine.travel(datetime.now(UTC) + timedelta(seconds=wanted), tick=True)
            travel.start()
            ahead = wanted
        time.sleep(LOOK_SECONDS)


if named := os.environ.get("ORDERLOOM_CLOCK_FILE"):
    threading.Thread(target=_follow, args=(Path(named),), daemon=True).start()
