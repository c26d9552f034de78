"""One service on a real database of its own: what a test asks of it, tells it, and looks at."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import jwt
from aiokafka import ConsumerRecord
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy import text

from chassis import migrations
from chassis.application import Service
from chassis.clock import utc_now
from chassis.database import Database
from chassis.ids import new_id
from chassis.settings import ServiceSettings
from chassis.worker import Worker
from contracts.event import DirectoryEvent, Event, OrderEvent
from orderloom.parts import Parts

KEY = Ed25519PrivateKey.generate()
KEY_ID = "test"
MIGRATED: set[tuple[Parts, str]] = set()
"""The templates that are there already."""


@dataclass(frozen=True)
class Who:
    """Someone who asks: their token is signed with the key that the services under test trust."""

    user_id: str
    roles: tuple[str, ...] = ()
    kind: str = "user"
    client_id: UUID | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token()}"}

    def token(self, **changes: Any) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "sub": self.user_id,
            "kind": self.kind,
            "roles": list(self.roles),
            "client_id": str(self.client_id) if self.client_id else None,
            "iss": "orderloom",
            "aud": "orderloom",
            "iat": now,
            "exp": now + 600,
        }
        return jwt.encode(claims | changes, KEY, algorithm="EdDSA", headers={"kid": KEY_ID})


@cache
def jwks_file(folder: Path) -> Path:
    key = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(KEY.public_key())) | {
        "kid": KEY_ID,
        "alg": "EdDSA",
        "use": "sig",
    }
    file = folder / "jwks.json"
    file.write_text(json.dumps({"keys": [key]}))
    return file


@dataclass
class Running:
    """A service without the bus: requests come in by ASGI, facts are handed to its inbox as records."""

    service: Service
    settings: ServiceSettings
    database: Database
    worker: Worker
    api: FastAPI
    http: httpx.AsyncClient
    offsets: dict[str, int] = field(default_factory=dict)

    async def request(
        self, method: str, path: str, who: Who | None = None, *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        sent = (who.headers if who else {}) | (headers or {})
        return await self.http.request(method, path, headers=sent, **more)

    async def get(self, path: str, who: Who | None = None, **more: Any) -> httpx.Response:
        return await self.request("GET", path, who, **more)

    async def post(self, path: str, who: Who | None = None, **more: Any) -> httpx.Response:
        return await self.request("POST", path, who, **more)

    async def put(self, path: str, who: Who | None = None, **more: Any) -> httpx.Response:
        return await self.request("PUT", path, who, **more)

    async def hear(self, *events: Event, **envelope: str) -> list[ConsumerRecord]:
        """Let the service consume facts in one batch; return the records, to deliver them again."""
        records = [self.record(event, **envelope) for event in events]
        await self.worker.inbox.apply_all(records)
        return records

    async def hear_again(self, records: Sequence[ConsumerRecord]) -> None:
        await self.worker.inbox.apply_all(records)

    def record(self, event: Event, **envelope: str) -> ConsumerRecord:
        """`event` as its teller would have published it; `envelope` changes attributes (`ce_id=…`)."""
        assert isinstance(event, OrderEvent | DirectoryEvent)
        key = str(event.order_id) if isinstance(event, OrderEvent) else event.key
        headers = {
            "ce_specversion": "1.0",
            "ce_id": str(new_id()),
            "ce_type": event.type,
            "ce_source": event.teller,
            "ce_time": utc_now().isoformat(),
            "ce_actor": "user:test",
            "ce_causationid": str(new_id()),
            "content-type": "application/json",
        } | envelope
        return self.raw_record(event.topic, key.encode(), event.model_dump_json().encode(), headers)

    def raw_record(self, topic: str, key: bytes | None, value: bytes | None, headers: dict[str, str]) -> ConsumerRecord:
        offset = self.offsets[topic] = self.offsets.get(topic, -1) + 1
        pairs = tuple((name, content.encode()) for name, content in headers.items())
        return ConsumerRecord(topic, 0, offset, 0, 0, key, value, None, 0, 0, pairs)

    async def told(self, *types: str, topic: str | None = None) -> list[dict[str, Any]]:
        """What the service has recorded so far, oldest first: envelope and `data`, of `types` or of all."""
        rows = await self.rows("SELECT topic, key, type, event_id, headers, body FROM outbox ORDER BY position")
        return [
            dict(row) | {"data": json.loads(row["body"])}
            for row in rows
            if (not types or row["type"] in types) and topic in (None, row["topic"])
        ]

    async def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        async with self.database.transaction() as session:
            return [dict(row) for row in (await session.execute(text(statement), values)).mappings()]

    async def count(self, table: str) -> int:
        return int((await self.rows(f"SELECT count(*) AS n FROM {table}"))[0]["n"])


async def template_database(parts: Parts, service: Service) -> str:
    """A migrated database of the service, made once, that others are copied from."""
    name = f"template_{service.name}"
    if (parts, name) not in MIGRATED:
        url = await parts.create_database(name)
        await asyncio.to_thread(migrations.migrate, url, service.migrations)
        MIGRATED.add((parts, name))
    return name


async def copied_database(parts: Parts, template: str) -> str:
    """The URL of a fresh copy."""
    name = f"test_{new_id().hex}"
    connection = await asyncpg.connect(parts.postgres_url)
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    finally:
        await connection.close()
    base, _, _ = parts.postgres_url.partition("?")
    return base.replace("postgresql://", "postgresql+asyncpg://").rsplit("/", 1)[0] + f"/{name}"


@asynccontextmanager
async def running(
    service: Service, parts: Parts, *, template: str, folder: Path, one_statement_flush: bool = True, **settings: Any
) -> AsyncIterator[Running]:
    """The service on a database of its own, without the bus."""
    told = service.settings(
        database_url=await copied_database(parts, template),
        jwks=str(jwks_file(folder)),
        one_statement_flush=one_statement_flush,
        **parts.kafka_settings,
        **settings,
    )
    database = service.database(told)
    worker = service.worker(told, database)
    api = service.api(told, database)
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=30) as http:
        yield Running(service, told, database, worker, api, http)
    await worker.database.close()
    await database.close()


def problems(answer: httpx.Response) -> list[str]:
    """The fields that a problem names."""
    errors: Iterable[dict[str, str]] = answer.json().get("errors", ())
    return [error["field"] for error in errors]
