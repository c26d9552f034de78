"""The bus side of the running services, consumers and relay, paused and resumed by signals. Their APIs stay up."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import httpx

from orderloom import readiness

PAUSE_SECONDS = 20.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Service:
    """A running one."""

    name: str
    pid: int
    url: str


class ServiceNotPaused(Exception):
    """A service goes on reading and telling."""


@asynccontextmanager
async def resting(services: Sequence[Service]) -> AsyncIterator[None]:
    """Pause all inside, resume them after. Raise ServiceNotPaused."""
    try:
        if busy := await pause(services):
            names = ", ".join(service.name for service in busy)
            raise ServiceNotPaused(
                f"Not paused after {PAUSE_SECONDS:.0f} s: {names}. Look into the logs and try again."
            )
        yield
    finally:
        resume(services)


async def pause(services: Sequence[Service]) -> list[Service]:
    """Pause all and return those that did not say within PAUSE_SECONDS that they are paused. Dead ones are."""
    deadline = time.monotonic() + PAUSE_SECONDS
    async with readiness.client() as http:
        outcomes = await asyncio.gather(*(_is_paused_by(deadline, service, http) for service in services))
    return [service for service, is_paused in zip(services, outcomes, strict=True) if not is_paused]


async def _is_paused_by(deadline: float, service: Service, http: httpx.AsyncClient) -> bool:
    _send(service, signal.SIGUSR1)
    while time.monotonic() < deadline:
        if not _is_alive(service) or (await readiness.ask(http, service.url)).is_paused:
            return True
        await asyncio.sleep(POLL_SECONDS)
    return False


def resume(services: Sequence[Service]) -> None:
    for service in services:
        _send(service, signal.SIGUSR2)


def _send(service: Service, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(service.pid, number)


def _is_alive(service: Service) -> bool:
    try:
        os.kill(service.pid, 0)
    except ProcessLookupError:
        return False
    return True
