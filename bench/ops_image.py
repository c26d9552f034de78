"""What the image weighs, and how long each role takes from `run` to ready: `python -m bench.ops_image --engine docker`.

With any engine that speaks like Docker's. PostgreSQL and broker are the embedded ones of this machine, reached over its
own network; the containers have a read-only root, no capability, and nothing to write to but `/tmp`.
"""

import argparse
import asyncio
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from bench import machine
from contracts.topics import SERVICES
from orderloom import keys, ports
from orderloom.parts import Parts, embedded_parts
from orderloom.stack import MODULES

RESULT = Path(__file__).parent / "results" / "ops-image.json"
ROLES = ("api", "worker")
READY_SECONDS_MAX = 60.0
POLL_SECONDS = 0.02
STARTS = 3
UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
HARDENED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


class MigrationFailed(Exception):
    """What it had to say."""


class Engine:
    """A program that speaks like Docker's."""

    def __init__(self, program: str, image: str) -> None:
        self._program = program
        self.image = image

    def run(self, *arguments: str) -> str:
        """What it prints. Raises `CalledProcessError`."""
        done = subprocess.run([self._program, *arguments], check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    @contextmanager
    def container(self, environment: dict[str, str], volume: str, *arguments: str) -> Iterator[str]:
        """One that is gone afterwards; its id."""
        told = [option for name, value in environment.items() for option in ("--env", f"{name}={value}")]
        options = ["--detach", "--network", "host", *HARDENED, *told, "--volume", volume]
        started = self.run("run", *options, self.image, *arguments)
        try:
            yield started
        finally:
            self.run("rm", "--force", started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="docker")
    parser.add_argument("--image", required=True)
    arguments = parser.parse_args()
    engine = Engine(arguments.engine, arguments.image)
    written = {
        "image": arguments.image,
        "machine": machine.facts(),
        **weight(engine),
        "seconds_to_ready": _starts(engine),
    }
    RESULT.write_text(json.dumps(written, indent=2) + "\n")
    print(json.dumps(written, indent=2))


def weight(engine: Engine) -> dict[str, Any]:
    """In bytes, not compressed; of the layers, the newest first."""
    size = int(engine.run("image", "inspect", "--format", "{{.Size}}", engine.image))
    lines = engine.run("history", "--no-trunc", "--format", "{{.Size}}\t{{.CreatedBy}}", engine.image)
    layers = [line.split("\t", 1) for line in lines.splitlines()]
    return {
        "size_bytes": size,
        "layers": [{"bytes": in_bytes(said), "made_by": made_by[:160]} for said, made_by in layers if in_bytes(said)],
    }


def in_bytes(said: str) -> int:
    """`171 MB` and `171MB`: three digits are all that every engine tells."""
    number, unit = re.fullmatch(r"([\d.]+) ?([kKMG]?i?B)", said.strip()).groups()  # type: ignore[union-attr]
    return round(float(number) * UNITS[unit])


def _starts(engine: Engine) -> dict[str, Any]:
    with embedded_parts() as parts, tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)
        keys.ensure(place / "signing.pem", place / "jwks.json")
        (place / "signing.pem").chmod(0o444)  # the container's user is another
        return asyncio.run(starts(engine, parts, volume=f"{place}:/keys:ro"))


async def starts(engine: Engine, parts: Parts, *, volume: str) -> dict[str, Any]:
    """The median of a few starts, by service and role; and of the migration of an empty database, once."""
    measured: dict[str, Any] = {}
    await parts.create_topics("")
    for service in SERVICES:
        environment = await _environment(parts, service)
        measured[service] = {"migrate": round(_migrate(engine, environment, volume, MODULES[service]), 2)}
        for role in ROLES:
            seconds = [await _start(engine, environment, volume, MODULES[service], role) for _ in range(STARTS)]
            measured[service][role] = round(median(seconds), 2)
    return measured


async def _environment(parts: Parts, service: str) -> dict[str, str]:
    return {
        "ORDERLOOM_DATABASE_URL": await parts.create_database(service),
        **{f"ORDERLOOM_{name.upper()}": str(value) for name, value in parts.kafka_settings.items()},
        "ORDERLOOM_HOST": "127.0.0.1",
        "ORDERLOOM_PORT": str(ports.choose(set())),
        "ORDERLOOM_JWKS": "/keys/jwks.json",
        "ORDERLOOM_SIGNING_KEY": "/keys/signing.pem",
    }


def _migrate(engine: Engine, environment: dict[str, str], volume: str, module: str) -> float:
    """The seconds it takes. Raises `MigrationFailed`."""
    before = time.monotonic()
    with engine.container(environment, volume, module, "migrate") as container:
        if engine.run("wait", container) != "0":
            raise MigrationFailed(engine.run("logs", container))
        return time.monotonic() - before


async def _start(engine: Engine, environment: dict[str, str], volume: str, module: str, role: str) -> float:
    """Seconds from the command to the first `/readyz` that says ready. Raises `TimeoutError`."""
    address = f"http://127.0.0.1:{environment['ORDERLOOM_PORT']}"
    before = time.monotonic()
    with engine.container(environment, volume, module, role):
        async with httpx.AsyncClient(base_url=address) as http, asyncio.timeout(READY_SECONDS_MAX):
            while not await _is_ready(http):
                await asyncio.sleep(POLL_SECONDS)
        return time.monotonic() - before


async def _is_ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    main()
