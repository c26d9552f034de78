"""Alerts of a real Prometheus over a real stack in which consumers really stall.

`python -m checks.alert --prometheus PATH`, with `PYTHONPATH=deploy`: starts a stack with APIs and workers apart, and a
Prometheus with the rules that are deployed; stops one worker, keeps another from its inbox, and waits for both alerts
within the time that they state, and for their end when the cause is gone. `--json FILE` keeps what was seen.
"""

import argparse
import asyncio
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import yaml

from bench import machine
from checks.traces import ROOT, approve_an_order, gateway_of
from orderloom import ports, state, up
from orderloom.folder import DataFolder
from orderloom.stack import Stack

RULES = ROOT / "deploy" / "observe" / "rules" / "orderloom.yaml"
SCRAPE_SECONDS = 15
START_SECONDS = 60.0
END_SECONDS = 600.0
POLL_SECONDS = 1.0
MISSING = "NOT CHECKED: there is no Prometheus. Name its program with --prometheus. Nobody has seen that alerts fire."


class DidNotFire(Exception):
    """What Prometheus says is not what had to come of it."""


@dataclass(frozen=True)
class Expected:
    """`alert` about `service`, of which it is said that it fires within so many seconds of the cause."""

    alert: str
    service: str
    within_seconds: int


@dataclass(frozen=True)
class Seen:
    alert: str
    service: str
    within_seconds: int
    fired_after_seconds: float
    ended_after_seconds: float
    """After its cause was gone."""


def main() -> int:
    """2 when there is no Prometheus, which is not a success."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prometheus", default="prometheus", help="its program")
    parser.add_argument("--data", type=Path, help="of a stack that runs apart, to be used and left as it is")
    parser.add_argument("--json", type=Path, help="where to keep what was seen")
    arguments = parser.parse_args()
    program = shutil.which(arguments.prometheus)
    if not program:
        print(MISSING, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="orderloom-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user when we are root
        try:
            seen = asyncio.run(check(program, DataFolder(arguments.data or Path(folder) / "data")))
        except (DidNotFire, up.StackFailed) as reason:
            print(f"FAILED: {reason}", file=sys.stderr)
            return 1
    if arguments.json:
        arguments.json.write_text(json.dumps(seen, indent=1) + "\n")
    return 0


async def check(program: str, folder: DataFolder) -> dict[str, Any]:
    """Raises `DidNotFire`, `StackFailed`."""
    taken_on = machine.facts()
    is_ours = not state.load(folder.state).is_supervised
    try:
        await up.up(folder, up.Wanted(is_apart=True) if is_ours else up.Wanted(), print)
        stack = Stack.of(folder)
        with running_prometheus(program, stack) as url:
            await until_scraped(url, len(stack.services))
            before = sorted({alert["alertname"] for alert in await firing(url)})
            seen = await stall_and_go_on(stack, url)
    finally:
        if is_ours:
            await up.down(folder)
    return {"alerts": [asdict(each) for each in seen], "firing_before": before, "taken_on": taken_on}


async def stall_and_go_on(stack: Stack, url: str) -> list[Seen]:
    """A worker of finance that is stopped answers nobody; one of project that cannot write its inbox hangs."""
    gone, stuck = stated("OrderloomProcessGone", "finance"), stated("OrderloomConsumerStuck", "project")
    (stopped,) = [state.load(stack.folder.state).processes["finance-worker"].find()]
    assert stopped is not None
    project = await asyncpg.connect(stack.databases["project"])
    try:
        async with project.transaction():
            await project.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
            stopped.send_signal(signal.SIGSTOP)
            async with gateway_of(stack) as gateway:
                await approve_an_order(gateway)
            begun = time.monotonic()
            fired = await asyncio.gather(*(until_firing(url, each, begun) for each in (gone, stuck)))
    finally:
        stopped.send_signal(signal.SIGCONT)
        await project.close()
    begun = time.monotonic()
    ended = await asyncio.gather(*(until_ended(url, each, begun) for each in (gone, stuck)))
    return [
        Seen(each.alert, each.service, each.within_seconds, fired_after, ended_after)
        for each, fired_after, ended_after in zip((gone, stuck), fired, ended, strict=True)
    ]


def stated(alert: str, service: str) -> Expected:
    """With the time that the rules state."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    (rule,) = [rule for group in groups for rule in group["rules"] if rule["alert"] == alert]
    minutes = int(rule["annotations"]["within"].removesuffix("m"))
    return Expected(alert, service, minutes * 60)


async def until_firing(url: str, expected: Expected, begun: float) -> float:
    """Seconds since `begun`. Raises `DidNotFire` when it takes longer than is stated."""
    while not await is_firing(url, expected):
        if time.monotonic() - begun > expected.within_seconds:
            raise DidNotFire(f"{expected} does not fire. Firing: {await firing(url)}")
        await asyncio.sleep(POLL_SECONDS)
    return _told(f"{expected.alert} of {expected.service} fires", begun)


async def until_ended(url: str, expected: Expected, begun: float) -> float:
    """Seconds since `begun`. Raises `DidNotFire`."""
    while await is_firing(url, expected):
        if time.monotonic() - begun > END_SECONDS:
            raise DidNotFire(f"{expected} fires for {END_SECONDS:.0f} s after its cause is gone.")
        await asyncio.sleep(POLL_SECONDS)
    return _told(f"{expected.alert} of {expected.service} has ended", begun)


def _told(what: str, begun: float) -> float:
    seconds = round(time.monotonic() - begun, 1)
    print(f"{what} after {seconds:.0f} s")
    return seconds


async def is_firing(url: str, expected: Expected) -> bool:
    wanted = (expected.alert, expected.service)
    return any((each["alertname"], each.get("service")) == wanted for each in await firing(url))


async def firing(url: str) -> list[dict[str, str]]:
    """The labels of each."""
    async with httpx.AsyncClient(trust_env=False) as http:
        alerts = (await http.get(f"{url}/api/v1/alerts")).raise_for_status().json()["data"]["alerts"]
    return [alert["labels"] for alert in alerts if alert["state"] == "firing"]


async def until_scraped(url: str, targets: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    async with httpx.AsyncClient(trust_env=False) as http:
        while time.monotonic() < deadline:
            try:
                result = (await http.get(f"{url}/api/v1/query", params={"query": "sum(up)"})).json()["data"]["result"]
                if result and int(result[0]["value"][1]) == targets:
                    return
            except (httpx.TransportError, ValueError, KeyError):
                pass  # it is starting
            await asyncio.sleep(POLL_SECONDS)
    raise DidNotFire(f"Prometheus does not scrape all {targets} processes.")


@contextmanager
def running_prometheus(program: str, stack: Stack) -> Iterator[str]:
    """Its address. It scrapes every process of the stack, and knows the rules that are deployed."""
    address = f"127.0.0.1:{ports.choose(set())}"
    with tempfile.TemporaryDirectory(prefix="orderloom-prometheus-") as folder:
        file = Path(folder) / "prometheus.yaml"
        file.write_text(yaml.safe_dump(configuration(stack)))
        options = [f"--config.file={file}", f"--web.listen-address={address}", f"--storage.tsdb.path={folder}/data"]
        process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait()


def configuration(stack: Stack) -> dict[str, Any]:
    targets = [f"127.0.0.1:{stack.ports[name]}" for name in stack.services]
    every = f"{SCRAPE_SECONDS}s"
    return {
        "global": {"scrape_interval": every, "evaluation_interval": every},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "orderloom", "static_configs": [{"targets": targets}]}],
    }


if __name__ == "__main__":
    sys.exit(main())
