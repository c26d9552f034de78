import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from orderloom import ports, postgres
from orderloom.postgres import Cluster, create_databases


@contextmanager
def running(cluster: Cluster) -> Iterator["subprocess.Popen[bytes]"]:
    cluster.prepare()
    command = cluster.command()
    process = subprocess.Popen(command.arguments, cwd=command.folder, stderr=subprocess.DEVNULL, **command.ownership)
    try:
        while not cluster.is_ready(process.pid):
            assert process.poll() is None
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(command.stop_signal)
        process.wait(15)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are closed to the user PostgreSQL runs as
        Path(folder).chmod(0o711)
        yield Cluster(Path(folder) / "postgres", ports.choose(set()), is_durable=False)


async def test_databases_are_created_once(cluster: Cluster) -> None:
    with running(cluster):
        await create_databases(cluster.url())
        await create_databases(cluster.url())
        connection = await asyncpg.connect(cluster.url("gateway"))
        assert await connection.fetchval("SHOW max_connections") == "200"
        await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(cluster.url(), password="wrong")


async def test_a_server_killed_starts_again_though_its_pid_is_now_another_process(cluster: Cluster) -> None:
    with running(cluster) as process:
        await create_databases(cluster.url(), ("kept",))
        process.send_signal(signal.SIGKILL)
        process.wait()
    pid_file = cluster.folder.resolve() / "cluster" / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(str(process.pid), str(os.getppid()), 1))
    with running(cluster):
        await (await asyncpg.connect(cluster.url("kept"))).close()


def test_an_orphaned_server_is_ended_before_the_next_starts(cluster: Cluster) -> None:
    with running(cluster) as orphan, running(cluster) as server:
        assert orphan.poll() is not None
        assert server.poll() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as somebody else")
def test_a_cluster_its_user_cannot_reach_goes_elsewhere_with_the_binaries(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Cluster(tmp_path / "postgres", ports.choose(set()), is_durable=False)
    monkeypatch.setattr(postgres, "REACHABLE", cluster.folder)
    monkeypatch.setattr(postgres, "_is_reachable", lambda *_: False)
    with running(closed):
        assert closed.folder.resolve().parent == cluster.folder
        assert closed.command().arguments[0].startswith(str(cluster.folder))


def test_a_server_that_is_still_being_restored_is_not_ready(cluster: Cluster) -> None:
    with running(cluster):
        pass
    data = cluster.folder.resolve() / "cluster"
    (data / "standby.signal").touch()
    command = cluster.command()
    server = subprocess.Popen(command.arguments, cwd=command.folder, stderr=subprocess.DEVNULL, **command.ownership)
    try:
        while "standby" not in _status(data):
            assert server.poll() is None
            time.sleep(0.02)
        assert not cluster.is_ready(server.pid)
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(15)


def _status(data: Path) -> str:
    """As the server says itself, once it says something."""
    file = data / "postmaster.pid"
    lines = file.read_text().splitlines() if file.exists() else []
    return lines[7] if len(lines) > 7 else ""
