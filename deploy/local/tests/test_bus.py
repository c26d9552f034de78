import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orderloom import bus, ports, readiness


@contextmanager
def standin(**environment: str) -> Iterator[bus.Service]:
    port = ports.choose(set())
    process = subprocess.Popen(
        [sys.executable, "-m", "standin", "all"],
        cwd=Path(__file__).parent,
        env=os.environ | {"ORDERLOOM_HOST": "127.0.0.1", "ORDERLOOM_PORT": str(port), **environment},
    )
    try:
        while not ports.is_listening(port):
            assert process.poll() is None
        yield bus.Service("order", process.pid, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


async def test_services_rest_inside_and_go_on_after() -> None:
    with standin() as service:
        async with bus.resting([service]), readiness.client() as http:
            assert (await readiness.ask(http, service.url)).is_paused
        async with readiness.client() as http:
            assert (await readiness.ask(http, service.url)).is_ready


async def test_a_service_that_does_not_pause_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "PAUSE_SECONDS", 0.3)
    with standin() as obedient, standin(STANDIN_STUBBORN="1") as stubborn:
        assert await bus.pause([obedient, stubborn]) == [stubborn]
        with pytest.raises(bus.ServiceNotPaused):
            async with bus.resting([stubborn]):
                pass


async def test_a_dead_service_rests() -> None:
    with standin() as service:
        pass
    assert await bus.pause([service]) == []
