"""A load of orders through their whole life while faults happen; then the invariants are counted, and the verdict said.

`python -m chaos --seed 1 --minutes 3 [--broker apache]`. Starts a stack of its own and ends only what it started. The
same seed plans the same faults and the same orders; when each meets the other is up to the machine.
"""

import argparse
import asyncio
import json
import logging
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from chaos import clock, disk, faults, invariants
from chaos.erp import Erp
from chaos.load import Load
from chaos.trial import Trial, failpoints_of
from orderloom.defaults import ADMINISTRATOR, DEMO_PASSWORD
from orderloom.folder import DataFolder
from orderloom.gateway import Gateway

ORDERLOOM = (sys.executable, "-m", "orderloom.cli")
WARM_UP_SECONDS = 3.0
PAUSE_SECONDS_MIN = 2.0
FAULTS_A_MINUTE = 8.0
SETTLE_SECONDS = 420.0
HEALTHY_SECONDS = 120.0
RESULTS = Path(__file__).parents[1] / "bench" / "results"
BROKERS = {"embedded": [], "apache": ["--apache-kafka"]}


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=3.0, help="how long faults happen; settling comes on top")
    parser.add_argument("--broker", choices=BROKERS, default="embedded")
    parser.add_argument("--fault", action="append", default=[], metavar="WORDS", help="only faults with these words")
    parser.add_argument("--orders", type=int, default=0, help="go on placing orders until there are so many")
    parser.add_argument("--keep", action="store_true", help="leave the data folder for a look at its logs")
    parser.add_argument("--record", metavar="NAME", help="write bench/results/chaos-NAME.json")
    arguments = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # many lines for one broker that was killed
    with _disk() as (parent, is_own), _stack(parent, arguments) as folder:
        result = asyncio.run(_try(folder, is_own, arguments))
    if arguments.record:
        file = RESULTS / f"chaos-{arguments.record}.json"
        file.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    return 0 if result["holds"] else 1


@contextmanager
def _disk() -> Iterator[tuple[Path, bool]]:
    parent = Path(tempfile.mkdtemp(prefix="orderloom-chaos-"))
    parent.chmod(0o711)
    with disk.own_disk(parent) as is_own:
        yield parent, is_own
    with suppress(OSError):  # kept
        parent.rmdir()


@contextmanager
def _stack(parent: Path, arguments: argparse.Namespace) -> Iterator[DataFolder]:
    folder = DataFolder(parent / "data")
    data = ["--data", str(folder.path)]
    environment = os.environ | clock.environment(folder)
    environment |= {"ORDERLOOM_ENVIRONMENT": "trial", "ORDERLOOM_FAILPOINTS": str(failpoints_of(folder))}
    try:
        folder.create()
        failpoints_of(folder).mkdir()
        up = [*ORDERLOOM, "up", "--apart", *BROKERS[arguments.broker], *data]
        if subprocess.run(up, env=environment, check=False, stdout=subprocess.DEVNULL).returncode:
            subprocess.run(up, env=environment, check=True)  # a busy machine: it goes on where it is
        yield folder
    finally:
        subprocess.run([*ORDERLOOM, "down", *data], check=False, stdout=subprocess.DEVNULL)
        if arguments.keep:
            kept = shutil.copytree(folder.path, tempfile.mkdtemp(prefix="orderloom-kept-"), dirs_exist_ok=True)
            print(f"Its data is left in {kept}.")
        folder.wipe()


async def _try(folder: DataFolder, has_own_disk: bool, arguments: argparse.Namespace) -> dict[str, Any]:
    trial = Trial(folder, random.Random(arguments.seed), lambda line: print(line, flush=True), has_own_disk)
    gateway = Gateway(trial.stack.url("gateway"), {ADMINISTRATOR: trial.admin_password}, password=DEMO_PASSWORD)
    async with gateway, Erp(trial.kafka) as erp:
        load = Load(gateway, erp, random.Random(arguments.seed + 1))
        loading = asyncio.create_task(load.run())
        await asyncio.sleep(WARM_UP_SECONDS)
        await _harm(trial, arguments)
        trial.note("no more faults")
        while len(load.placed) < arguments.orders:
            await asyncio.sleep(PAUSE_SECONDS_MIN)
        trial.note(f"no new orders after {len(load.placed)}")
        load.enough.set()
        settled = await _settle(trial, loading)
        broken = await invariants.check_all(trial, load, erp, gateway)
    broken["everything settles"] = [] if settled else [f"not within {SETTLE_SECONDS:.0f} s"]
    broken["every request of the ERP is answered"] = sorted(erp.waiting)
    load.failures += erp.troubles
    return _verdict(trial, load, broken, arguments)


async def _harm(trial: Trial, arguments: argparse.Namespace) -> None:
    seconds = arguments.minutes * 60
    until = time.monotonic() + seconds
    count = max(int(arguments.minutes * FAULTS_A_MINUTE), 1)
    wanted = [each for each in faults.everything() if any(words in each.name for words in arguments.fault)]
    for fault in wanted or faults.plan(trial.randomness, count):
        if time.monotonic() > until and not wanted:
            break
        try:
            said = await fault.do(trial)
        except Exception as reason:
            said = f"it could not be done: {reason!r}"
        trial.note(f"{fault.name}{': ' if said else ''}{said}")
        await asyncio.sleep(max(PAUSE_SECONDS_MIN, trial.randomness.uniform(0.2, 1.0) * seconds / count))


async def _settle(trial: Trial, loading: asyncio.Task[None]) -> bool:
    """All orders at their end, all parts healthy, all outboxes told and read."""
    done, _ = await asyncio.wait([loading], timeout=SETTLE_SECONDS)
    loading.cancel()
    await asyncio.gather(loading, return_exceptions=True)
    healthy = await trial.until_healthy(HEALTHY_SECONDS)
    await asyncio.sleep(PAUSE_SECONDS_MIN)
    trial.note("settled" if done and healthy else "not settled")
    return bool(done) and healthy


def _verdict(trial: Trial, load: Load, broken: dict[str, list[str]], arguments: argparse.Namespace) -> dict[str, Any]:
    for name, defects in broken.items():
        print(f"{'holds ' if not defects else 'BROKEN'}  {name}", *defects[:5], sep="\n          ")
    outcomes = [placed.outcome for placed in load.placed]
    counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    refusals = [refusal for placed in load.placed for refusal in placed.refusals] + load.failures
    for refusal, count in Counter(map(_kind, refusals)).most_common(8):
        print(f"        {count} × {refusal}")
    print(f"{len(outcomes)} orders: {counts}; {len(trial.done)} steps; {len(refusals)} things had to be done again")
    return {
        "holds": not any(broken.values()),
        "revision": _revision(),
        "seed": arguments.seed,
        "minutes": arguments.minutes,
        "broker": arguments.broker,
        "orders": counts,
        "invariants": {name: defects[:5] or "holds" for name, defects in broken.items()},
        "done_again": dict(Counter(map(_kind, refusals)).most_common(20)),
        "done": trial.done,
        "seconds": round(time.monotonic() - trial.started),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


def _revision() -> str:
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def _kind(refusal: str) -> str:
    """Without the ids in it."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", refusal)


if __name__ == "__main__":
    sys.exit(main())
