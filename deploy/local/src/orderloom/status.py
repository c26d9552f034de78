"""How a stack is, asked of its processes and its services at this moment."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orderloom import parked, ports, readiness, state
from orderloom.stack import Stack

ABSENT = "does not run"


@dataclass(frozen=True)
class PartStatus:
    """`complaint` says to people why a part is not healthy."""

    pids: list[int]
    complaint: str

    @property
    def healthy(self) -> bool:
        return not self.complaint


@dataclass(frozen=True)
class Status:
    """`parked` is the number of parked keys, None while a database cannot be asked."""

    addresses: Mapping[str, str]
    parts: Mapping[str, PartStatus]
    parked: int | None

    @property
    def healthy(self) -> bool:
        return all(part.healthy for part in self.parts.values())

    def as_json(self) -> dict[str, Any]:
        """What `orderloom status --json` prints: tools read it, so its shape is kept."""
        parts = {name: {"healthy": part.healthy, "pids": part.pids} for name, part in self.parts.items()}
        return {"healthy": self.healthy, "addresses": dict(self.addresses), "parts": parts, "parked": self.parked}


async def read(stack: Stack) -> Status:
    known = state.load(stack.folder.state)
    alive = {name: identity.pid for name, identity in known.processes.items() if identity.is_alive}
    complaints = await asyncio.gather(*(_complaint(stack, part, alive.get(part)) for part in stack.parts))
    supervision = "" if known.phase == state.READY else known.phase
    said = dict(zip(stack.parts, complaints, strict=True))
    said[state.SUPERVISOR] = supervision if state.SUPERVISOR in alive else ABSENT
    parts = {name: PartStatus([alive[name]] if name in alive else [], complaint) for name, complaint in said.items()}
    return Status(stack.addresses, parts, await parked.count(stack.databases) if not said["postgres"] else None)


async def _complaint(stack: Stack, part: str, pid: int | None) -> str:
    """Return why `part` is not healthy, nothing when it is."""
    if part == "kafka":
        is_there = await ports.answers(stack.bootstrap_servers)
        return "" if is_there else "does not listen" if pid or not stack.broker.is_ours else ABSENT
    if pid is None:
        return ABSENT
    if part == "postgres":
        return "" if stack.cluster.is_ready(pid) else "does not take connections yet"
    if part not in stack.services:
        return "" if ports.is_listening(stack.ports[part]) else "does not listen"
    async with readiness.client() as http:
        answer = await readiness.ask(http, stack.url(part))
    return "" if answer.is_ready else answer.complaints or "is not ready"
