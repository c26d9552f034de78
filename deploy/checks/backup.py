"""A PostgreSQL of `orderloom up` that archives its log, a copy of it, and servers restored from both to an instant."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from orderloom import ports, postgres
from orderloom.folder import DataFolder
from orderloom.stack import Stack

POLL_SECONDS = 0.1
RECOVERY_SECONDS = 120.0
LOOKS = ("forgotten", "parked", "verify-thread")


class CommandFailed(Exception):
    """It says why."""


@dataclass(frozen=True)
class Backups:
    """In `place`, which the user that PostgreSQL runs as owns."""

    folder: DataFolder
    place: Path

    @classmethod
    def at(cls, folder: DataFolder, place: Path) -> "Backups":
        place.mkdir()
        (place / "archive").mkdir()
        if user := postgres.os_user():
            for each in (place, place / "archive"):
                shutil.chown(each, user, user)
        return cls(folder, place)

    @property
    def archive(self) -> Path:
        return self.place / "archive"

    @property
    def copy(self) -> Path:
        return self.place / "copy"

    async def switch_on(self) -> None:
        """From the next start of the server on."""
        await self.execute(
            "ALTER SYSTEM SET archive_mode = on",
            f"ALTER SYSTEM SET archive_command = 'test ! -f {self.archive}/%f && cp %p {self.archive}/%f'",
        )

    def take_copy(self) -> None:
        orderloom(self.folder, "pg", "pg_basebackup", f"--pgdata={self.copy}", "--checkpoint=fast")

    async def now(self) -> datetime:
        """By the clock of the server, after all that was committed."""
        instant: datetime = await self.fetch("SELECT clock_timestamp()")
        return instant

    async def until_archived(self) -> None:
        """All that was written until now."""
        segment = await self.fetch("SELECT pg_walfile_name(pg_switch_wal())")
        while not (self.archive / segment).exists():
            await asyncio.sleep(POLL_SECONDS)

    def set_back(self, cluster: Path, instant: datetime) -> None:
        """Make `cluster` a copy whose server, when it starts, goes on until `instant` and no further."""
        shutil.copytree(self.copy, cluster)
        (cluster / "recovery.signal").touch()
        with (cluster / "postgresql.auto.conf").open("a") as file:
            file.write(f"restore_command = 'cp {self.archive}/%f %p'\n")
            file.write(f"recovery_target_time = '{instant.isoformat()}'\n")
            file.write("recovery_target_action = 'promote'\n")
            file.write("archive_mode = off\n")  # its log is another one from there on
        cluster.chmod(0o700)
        if user := postgres.os_user():
            subprocess.run(["chown", "-R", f"{user}:{user}", str(cluster)], check=True)

    @asynccontextmanager
    async def restored_to(self, instant: datetime) -> AsyncIterator[int]:
        """The port of a server beside the stack's, as that was at `instant`."""
        cluster, port = self.place / "beside", ports.choose(set())
        self.set_back(cluster, instant)
        options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"
        log = ("--log", str(self.place / "beside.log"))
        orderloom(self.folder, "pg", "pg_ctl", "start", "--pgdata", str(cluster), "--options", options, *log)
        try:
            async with asyncio.timeout(RECOVERY_SECONDS):
                while not await self._is_restored(port):
                    await asyncio.sleep(POLL_SECONDS)
            yield port
        finally:
            orderloom(self.folder, "pg", "pg_ctl", "stop", "--pgdata", str(cluster), "--mode", "immediate")
            shutil.rmtree(cluster)

    async def _is_restored(self, port: int) -> bool:
        try:
            return not await self.fetch("SELECT pg_is_in_recovery()", port=port)
        except (OSError, asyncpg.PostgresError):
            return False

    async def execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(Stack.of(self.folder).cluster.url())
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def fetch(self, query: str, *, database: str = "postgres", port: int | None = None) -> Any:
        rows = await self.rows(query, database=database, port=port)
        return rows[0][0]

    async def rows(self, query: str, *, database: str = "postgres", port: int | None = None) -> list[asyncpg.Record]:
        url = Stack.of(self.folder).cluster.url(database)
        connection = await asyncpg.connect(url, **({"port": port} if port else {}))
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()


def orderloom(folder: DataFolder, name: str, *arguments: str) -> str:
    """What the command said. Raises `CommandFailed`, but for those that fail because they find what they look for."""
    whole = [sys.executable, "-m", "orderloom.cli", name, "--data", str(folder.path), *arguments]
    done = subprocess.run(whole, text=True, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode and name not in LOOKS:
        raise CommandFailed(f"{' '.join(['orderloom', name, *arguments])}: {done.stdout}{done.stderr}")
    return done.stdout
