"""A service as it is deployed: API and worker in processes of their own, after its migrations."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from chassis.ids import new_id
from journeys import eventually
from order_world import SALES
from orderloom.parts import Parts
from stack import jwks_file

pytestmark = pytest.mark.xdist_group("e2e")

STOP_SECONDS = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(part: str, environment: dict[str, str]) -> Iterator[str]:
    """The address of `order.app PART`, which must end by itself when it is told to."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "order.app", part], env=environment | {"ORDERLOOM_PORT": str(port)}
    )
    try:
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS) in (0, -signal.SIGTERM)  # uvicorn ends by the signal, when all is done
    finally:
        process.kill()
        process.wait()


def migrating(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "order.app", "migrate"], env=environment)


async def checks(url: str) -> dict[str, str]:
    """What `/readyz` says once it says ready."""
    async with httpx.AsyncClient() as http:
        try:
            answer = await http.get(f"{url}/readyz")
        except httpx.TransportError:
            return {}
    ready: dict[str, str] = answer.json()["checks"] if answer.status_code == 200 else {}
    return ready


async def test_api_and_worker_run_apart_and_stop_when_they_are_told_to(parts: Parts, keys_folder: Path) -> None:
    prefix = f"{new_id().hex}."
    await parts.create_topics(prefix)
    environment = os.environ | {
        "ORDERLOOM_DATABASE_URL": await parts.create_database(f"apart_{new_id().hex}"),
        **{f"ORDERLOOM_{name.upper()}": value for name, value in parts.kafka_settings.items()},
        "ORDERLOOM_TOPIC_PREFIX": prefix,
        "ORDERLOOM_JWKS": str(jwks_file(keys_folder)),
    }
    with ExitStack() as processes:
        api = processes.enter_context(running("api", environment))
        worker = processes.enter_context(running("worker", environment))
        migrations = [migrating(environment) for _ in range(2)]
        assert [migration.wait(60) for migration in migrations] == [0, 0]  # two at once wait for each other
        assert await eventually(lambda: checks(api)) == {"database": "ok", "migrations": "ok"}
        assert await eventually(lambda: checks(worker)) == {"database": "ok", "migrations": "ok", "bus": "ok"}
        async with httpx.AsyncClient() as http:
            assert (await http.get(f"{api}/orders", headers=SALES.headers)).status_code == 200
            assert (await http.get(f"{worker}/orders", headers=SALES.headers)).status_code == 404
            assert "orderloom_outbox_age_seconds" in (await http.get(f"{worker}/metrics")).text
