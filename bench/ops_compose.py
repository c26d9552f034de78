"""The stack of `docker-compose.yml`: how long until all is healthy, what becomes of orders, what each container holds.

`python -m bench.ops_compose --engine docker`. With `--running` it starts nothing and times nothing: the stack is up.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import machine
from bench.ops_image import in_bytes
from contracts.topics import SERVICES

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "bench" / "results" / "ops-compose.json"
ORDERS, REJECTED = ROOT / "examples" / "orders.jsonl", ROOT / "examples" / "orders.rejected.json"
SECRETS = ROOT / ".secrets"
ROLES = ("api", "worker")
HEALTHY_SECONDS_MAX = 300.0
POLL_SECONDS = 0.5
PROBE = ("/opt/orderloom/bin/python", "-m", "chassis.probe")
NAMES = ("--filter", "label=com.docker.compose.project=orderloom", "--format", "{{.Names}}")


class NeverHealthy(Exception):
    """The message names who was not."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="docker")
    parser.add_argument("--up", default="docker compose --profile core up --detach", help="what starts it")
    parser.add_argument("--running", action="store_true")
    parser.add_argument("--checker", help="what is given ORDERS REPORT --rejected EXPECTED and says what is wrong")
    parser.add_argument("--note", default="", help="kept with the figures: what was not as it is deployed")
    parser.add_argument("--gateway", default="http://127.0.0.1:8000")
    parser.add_argument("--report", type=Path, required=True, metavar="OUT", help="where the demo's report goes")
    arguments = parser.parse_args()
    seconds = None if arguments.running else start(arguments.engine, arguments.up)
    idle = memory(arguments.engine)
    written = {
        "machine": machine.facts() | {"broker": "Apache Kafka", "postgresql": "PostgreSQL 18 in its container"},
        "note": arguments.note,
        "seconds_to_all_healthy": seconds,
        "demo": demo(arguments.gateway, arguments.report),
        "checker": verdict(arguments.checker, arguments.report) if arguments.checker else None,
        "memory_mib": {"idle": idle, "after_the_orders": memory(arguments.engine)},
    }
    RESULT.write_text(json.dumps(written, indent=2) + "\n")
    print(json.dumps(written, indent=2))


def start(engine: str, command: str) -> float:
    """Seconds until each of the ten processes says ready from inside its container, and the defaults are installed.

    Raises `NeverHealthy`.
    """
    before = time.monotonic()
    subprocess.run(shlex.split(command), cwd=ROOT, check=True)
    waiting = {f"{service}-{role}" for service in SERVICES for role in ROLES}
    while waiting:
        if time.monotonic() - before > HEALTHY_SECONDS_MAX:
            raise NeverHealthy(", ".join(sorted(waiting)))
        ready = {name for name in waiting if _is_healthy(engine, name)}
        waiting -= ready
        time.sleep(POLL_SECONDS if waiting else 0)
    (defaults,) = (name for name in _containers(engine, "--all") if "defaults" in name)
    if _said(engine, "wait", defaults).strip() != "0":
        raise NeverHealthy(defaults)
    return round(time.monotonic() - before, 1)


def _is_healthy(engine: str, name: str) -> bool:
    found = [each for each in _containers(engine) if name in each]
    return bool(found) and subprocess.run([engine, "exec", found[0], *PROBE], capture_output=True).returncode == 0


def _containers(engine: str, *options: str) -> list[str]:
    return _said(engine, "ps", *options, *NAMES).split()


def _said(engine: str, *arguments: str) -> str:
    return subprocess.run([engine, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def memory(engine: str) -> dict[str, float]:
    """By container, what the engine says it holds."""
    told = _said(engine, "stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}", *_containers(engine))
    lines = (line.split("\t") for line in told.splitlines() if "\t" in line)
    return {name: round(in_bytes(usage.partition("/")[0]) / 2**20, 1) for name, usage in sorted(lines)}


def demo(gateway: str, report: Path) -> dict[str, Any]:
    """What became of the example orders, played from outside."""
    password = (SECRETS / "admin-password").read_text()
    command = [sys.executable, "-m", "orderloom.cli", "demo", "--gateway", gateway, "--exit", "--json", str(report)]
    before = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"ORDERLOOM_ADMIN_PASSWORD": password})
    told = json.loads(report.read_text())
    return {
        "exit_code": done.returncode,
        "seconds": round(time.monotonic() - before, 1),
        "orders_at_their_end": len(told["orders"]),
        "lines_rejected": len(told["rejected"]),
        "threads_verified": sum(order["thread_verified"] for order in told["orders"]),
    }


def verdict(checker: str, report: Path) -> dict[str, Any]:
    """What the checker says of the report, and whether it found nothing wrong."""
    command = [*shlex.split(checker), str(ORDERS), str(report), "--rejected", str(REJECTED)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return {"exit_code": done.returncode, "says": done.stdout.strip().splitlines()[-1]}


if __name__ == "__main__":
    main()
