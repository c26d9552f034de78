"""What a trial on a cluster is judged by: every answer that its load got, and what the databases say afterwards."""

from collections import Counter
from typing import Any

import asyncpg
import httpx

from bench.ops_kubernetes.cluster import Cluster


class Counting(httpx.AsyncHTTPTransport):
    """Counts every attempt by its status, or by what went wrong on the way."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.answers: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await super().handle_async_request(request)
        except httpx.TransportError as reason:
            self.answers[type(reason).__name__] += 1
            raise
        self.answers[str(response.status_code)] += 1
        return response


def not_answered(answers: Counter[str]) -> dict[str, int]:
    """Of the attempts, those that had to be made again."""
    return {how: count for how, count in sorted(answers.items()) if count and not how.startswith(("2", "3", "4"))}


class Databases:
    """Those of the services, each by its Service, with the passwords that the processes have."""

    def __init__(self, cluster: Cluster, services: tuple[str, ...]) -> None:
        self.poison_keys: set[str] = set()
        self._places = {
            service: {
                "host": cluster.address_of(f"{service}-db-rw"),
                "user": service,
                "database": service,
                "password": cluster.secret(f"{service}-db-app", "password"),
            }
            for service in services
        }

    async def query(self, database: str, statement: str, *values: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(**self._places[database])
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()
