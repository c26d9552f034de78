"""A whole stack of its own for one bench: fresh data, fresh broker, gone when the bench is done."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psutil

from bench.wire import Client
from contracts.topics import SERVICES
from orderloom import defaults

ORDERLOOM = (sys.executable, "-m", "orderloom.cli")
SELLER, APPROVER, READER, ACCOUNTANT = "sales", "sales_manager", "project_manager", "finance_manager"
ROLES = (SELLER, APPROVER, READER, ACCOUNTANT)


@dataclass
class Stack:
    """A stack in `data`; what is known of it is as of the last `up`."""

    data: Path
    addresses: dict[str, str]
    pids: dict[str, list[int]]

    def __init__(self, data: Path) -> None:
        self.data = data

    def up(self, *options: str) -> None:
        """Return when everything is healthy."""
        self.start(*options)
        self.read_status()

    def start(self, *options: str) -> None:
        """The command alone, which returns when everything is healthy."""
        self._run("up", *options)

    def read_status(self) -> None:
        status = json.loads(self._run("status", "--json"))
        self.addresses = status["addresses"]
        self.pids = {name: part["pids"] for name, part in status["parts"].items()}

    def down(self, *options: str) -> None:
        self._run("down", *options)

    async def sign_in(self, client: Client) -> dict[str, str]:
        """A token of someone who holds it, by role."""
        people = defaults.people()
        tokens = {}
        for role in ROLES:
            user = next(person["user_id"] for person in people if role in person["roles"])
            body = {"user": user, "password": defaults.DEMO_PASSWORD}
            tokens[role] = (await client.post(f"{self.addresses['gateway']}/auth/sign-in", "", body)).json()["token"]
        return tokens

    def database_url(self, name: str) -> str:
        return urlsplit(self.addresses["postgres"])._replace(path=f"/{name}").geturl()

    async def value(self, service: str, query: str) -> Any:
        """One value of a service's database, past its API: to see what is left to be done."""
        connection = await asyncpg.connect(self.database_url(service))
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    async def left_behind(self) -> int:
        """Facts not yet told, keys that wait, and e-mails not yet sent."""
        unpublished = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
        counts = [await self.value(service, unpublished) for service in SERVICES]
        counts += [await self.value(service, "SELECT count(*) FROM parked_keys") for service in SERVICES]
        counts.append(await self.value("notify", "SELECT count(*) FROM notices WHERE status IN ('pending', 'sending')"))
        return sum(counts)

    def processes(self) -> dict[str, list[psutil.Process]]:
        """By part, its process and all below it; the supervisor alone, whose children are the other parts."""
        found = {}
        for name, pids in self.pids.items():
            heads = [psutil.Process(pid) for pid in pids]
            below = [child for head in heads for child in head.children(recursive=True)]
            found[name] = heads if name == "supervisor" else heads + below
        return found

    def _run(self, command: str, *options: str) -> str:
        return subprocess.check_output([*ORDERLOOM, command, *options, "--data", str(self.data)], text=True)


@contextmanager
def fresh_stack(*options: str) -> Iterator[Stack]:
    """One that is up. Whatever happens inside, it is down and its data is gone afterwards."""
    with empty_stack() as stack:
        stack.up(*options)
        yield stack


@contextmanager
def empty_stack() -> Iterator[Stack]:
    """One that was never up."""
    with tempfile.TemporaryDirectory(prefix="orderloom-bench-") as folder:
        os.chmod(folder, 0o711)  # PostgreSQL runs as another user when we are root
        stack = Stack(Path(folder) / "data")
        try:
            yield stack
        finally:
            stack.down("--wipe")


def cpu_ms(stack: Stack) -> dict[str, float]:
    """User and system time so far by part, in milliseconds; the supervisor does not work for orders."""
    return {
        name: sum(map(_cpu_ms_of, processes)) for name, processes in stack.processes().items() if name != "supervisor"
    }


def _cpu_ms_of(process: psutil.Process) -> float:
    """With that of its children that have ended: a database's connections are processes."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system) * 1000


def pss_mib(stack: Stack) -> dict[str, float]:
    """By part, what it has of memory, shared pages divided among those who share them."""
    return {name: sum(map(_pss_mib_of, processes)) for name, processes in stack.processes().items()}


def _pss_mib_of(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0
