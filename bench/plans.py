"""How PostgreSQL answers a request: the plan of every statement that a service sends for it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
from sqlalchemy import Connection, Engine, event

import finance.app
import order.app
import portal.app
from bench.stack import Stack
from chassis.application import Service
from orderloom.folder import DataFolder

SERVICES: dict[str, Service] = {
    "gateway": portal.app.service,
    "order": order.app.service,
    "finance": finance.app.service,
}


@dataclass
class Plans:
    """Of one request, its statements taken together."""

    statements: int = 0
    sequential_scans: list[str] = field(default_factory=list)
    """Tables that were read from one end to the other."""
    blocks: int = 0
    """Of 8 KiB that had to be looked at, in memory or on the disk."""
    rows_removed: int = 0
    """Read and found not to be wanted."""
    nodes: list[str] = field(default_factory=list)


async def of_request(stack: Stack, service: str, path: str, token: str, *, big: Sequence[str]) -> Plans:
    """As the service's code in this process would answer it on the stack's data, its caches empty."""
    asked = await _statements(stack, SERVICES[service], path, token)
    connection = await asyncpg.connect(stack.database_url(service))
    plans = Plans(statements=len(asked))
    for statement, parameters in asked:
        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *parameters)
        top = json.loads(explained)[0]["Plan"]
        plans.blocks += top["Shared Hit Blocks"] + top["Shared Read Blocks"]
        for node in _nodes(top):
            plans.rows_removed += node.get("Rows Removed by Filter", 0) * node["Actual Loops"]
            plans.nodes.append(" ".join(filter(None, (node["Node Type"], node.get("Index Name")))))
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] in big:
                plans.sequential_scans.append(node["Relation Name"])
    await connection.close()
    return plans


async def _statements(stack: Stack, service: Service, path: str, token: str) -> list[tuple[str, Any]]:
    folder = DataFolder(stack.data)
    told: dict[str, Any] = {
        "database_url": stack.database_url(service.name).replace("postgresql:", "postgresql+asyncpg:"),
        "kafka_bootstrap_servers": stack.addresses["kafka"],
        "jwks": str(folder.jwks),
    }
    settings = service.settings(**told | ({"signing_key": folder.signing_key} if service.name == "gateway" else {}))
    database = service.database(settings)
    asked: list[tuple[str, Any]] = []

    def note(_: Connection, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        transport = httpx.ASGITransport(service.api(settings, database))
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as http:
            answer = await http.get(path, headers={"Authorization": f"Bearer {token}"})
            answer.raise_for_status()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        await database.close()
    return asked


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
