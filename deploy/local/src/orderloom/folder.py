"""The data folder of one stack: what lies where, and who may use it now."""

import asyncio
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

MARKER_TEXT = "The data of one Orderloom stack. `orderloom down --wipe` stops the stack and removes this folder.\n"
LOCK_POLL_SECONDS = 0.05


class NotOurFolder(Exception):
    """The folder holds something else, which is neither to be mixed with a stack's data nor to be wiped."""


class FolderInUse(Exception):
    """Another process holds the lock."""


@dataclass(frozen=True)
class DataFolder:
    """`path` is absolute. Nothing is made before `create`."""

    path: Path

    @property
    def marker(self) -> Path:
        return self.path / "ORDERLOOM"

    @property
    def state(self) -> Path:
        return self.path / "state.json"

    @property
    def ports(self) -> Path:
        return self.path / "ports.json"

    @property
    def broker(self) -> Path:
        return self.path / "broker.json"

    @property
    def apart(self) -> Path:
        """It is there when APIs and workers run in processes of their own."""
        return self.path / "apart"

    @property
    def kafka(self) -> Path:
        """The log of an Apache Kafka of the stack's own."""
        return self.path / "kafka"

    @property
    def defaults_installed(self) -> Path:
        return self.path / "defaults-installed"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def mail(self) -> Path:
        return self.path / "mail"

    @property
    def signing_key(self) -> Path:
        return self.path / "keys" / "signing.pem"

    @property
    def jwks(self) -> Path:
        return self.path / "keys" / "jwks.json"

    @property
    def admin_password(self) -> Path:
        return self.path / "keys" / "admin-password"

    def log(self, part: str) -> Path:
        return self.path / "logs" / f"{part}.log"

    @property
    def is_ours(self) -> bool:
        return self.marker.is_file()

    def create(self) -> None:
        """Make the folder, or find it made. Raise NotOurFolder when it holds something else."""
        if not self.is_ours and self.path.exists() and any(self.path.iterdir()):
            raise NotOurFolder(f"{self.path} holds something else: name an empty folder with --data.")
        self.path.mkdir(parents=True, exist_ok=True)
        for name in ("logs", "mail"):
            (self.path / name).mkdir(exist_ok=True)
        (self.path / "keys").mkdir(exist_ok=True, mode=0o700)
        self.marker.write_text(MARKER_TEXT)

    def wipe(self) -> None:
        """Remove the folder and the cluster it points to. The stack must be down."""
        if not self.is_ours:
            raise NotOurFolder(f"{self.path} is not the data folder of a stack: nothing was removed.")
        if self.postgres.is_symlink():
            shutil.rmtree(self.postgres.resolve(), ignore_errors=True)
        shutil.rmtree(self.path)

    @asynccontextmanager
    async def locked(self, name: str, *, patience_seconds: float) -> AsyncIterator[None]:
        """Hold the lock `name` alone; the kernel lets go of it when this process dies. Raise FolderInUse."""
        with (self.path / f"{name}.lock").open("w") as file:
            deadline = time.monotonic() + patience_seconds
            while not _try_lock(file.fileno()):
                if time.monotonic() > deadline:
                    raise FolderInUse(f"Another process holds {file.name}.")
                await asyncio.sleep(LOCK_POLL_SECONDS)
            yield


def of_checkout(start: Path) -> DataFolder:
    """Return the data folder of the checkout `start` lies in, or of `start` itself outside of any checkout."""
    start = start.resolve()
    checkout = next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), start)
    return DataFolder(checkout / ".orderloom")


def secret_once(path: Path) -> str:
    """Return the secret kept at `path` (mode 0600), made there on the first call."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(18))
    return path.read_text()


def write_private(path: Path, text: str) -> None:
    """Write `text` at once and readable by its owner only, from the first byte on."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
