"""The loopback ports of one stack: chosen on the first start and kept, so that addresses survive a restart."""

import asyncio
import json
import random
import socket
from collections.abc import Mapping
from pathlib import Path

from contracts.topics import SERVICES

WORKERS = tuple(f"{service}-worker" for service in SERVICES)
NAMES = ("postgres", "kafka", "kafka-controller", "mail", *SERVICES, *WORKERS)
RANGE = range(20_000, 32_000)
"""Below the ports systems hand out to outgoing connections: one of those could take the port of a part that is being
restarted, and a client knocking at a dead port from that range can even be connected to itself."""
ATTEMPTS_MAX = 1_000


class PortTaken(Exception):
    """Somebody else listens on a port that was asked for."""


def settle(file: Path, wanted: Mapping[str, int]) -> dict[str, int]:
    """Return a free port per part and keep them in `file`: the wanted one, else the one kept, else a new one.

    The parts must be down. Raise PortTaken when a wanted port is not free; a kept one is replaced.
    """
    kept = load(file)
    settled: dict[str, int] = {}
    for name in NAMES:
        others = {*settled.values(), *(port for other, port in wanted.items() if other != name)}
        port = wanted.get(name) or kept.get(name)
        is_usable = port is not None and port not in others and is_free(port)
        if name in wanted and not is_usable:
            raise PortTaken(f"Port {port}, wanted for {name}, is taken.")
        settled[name] = port if port and is_usable else choose({*others, *kept.values()})
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(settled, indent=2))
    fresh.replace(file)
    return settled


def assignment(text: str) -> tuple[str, int]:
    """Read NAME=N. Raise ValueError."""
    name, _, number = text.partition("=")
    if name not in NAMES or not 0 < int(number) < 65_536:
        raise ValueError(f"{text} is not NAME=N with a name of {', '.join(NAMES)}.")
    return name, int(number)


def load(file: Path) -> dict[str, int]:
    """Return the ports kept in `file`, none when nothing is kept yet."""
    return dict(json.loads(file.read_text())) if file.exists() else {}


def choose(reserved: set[int]) -> int:
    """Return a free port outside `reserved`."""
    for _ in range(ATTEMPTS_MAX):
        port = random.choice(RANGE)  # at random, so that two stacks starting at once do not meet
        if port not in reserved and is_free(port):
            return port
    raise PortTaken(f"No free port was found between {RANGE.start} and {RANGE.stop}.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the dead connections of a server do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def answers(address: str) -> bool:
    """Whether somebody listens at one of HOST:PORT,HOST:PORT…"""
    for one in address.split(","):
        host, _, port = one.rpartition(":")
        try:
            async with asyncio.timeout(1):
                _, writer = await asyncio.open_connection(host, int(port))
        except (OSError, TimeoutError, ValueError):
            continue
        writer.close()
        return True
    return False


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
