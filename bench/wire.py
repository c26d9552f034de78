"""An HTTP/1.1 client that does next to nothing: the load shares the cores with what it measures."""

import asyncio
import json
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

IDLE_SECONDS_MAX = 3.0
"""Services close what was idle for five: none is used that is about to go."""


class Unexpected(Exception):
    """The platform did not do what was asked: nothing measured after that would mean anything."""


class Answer(NamedTuple):
    status: int
    body: bytes

    def json(self) -> Any:
        """Raises `Unexpected` unless the request was fulfilled."""
        if not 200 <= self.status < 300:
            raise Unexpected(f"{self.status}: {self.body[:300].decode(errors='replace')}")
        return json.loads(self.body)


class Client:
    """Any number of requests at once, each on a connection of its own that is kept for the next one."""

    def __init__(self) -> None:
        self._idle: dict[str, list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]]] = {}

    async def get(self, url: str, token: str) -> Answer:
        return await self._request("GET", url, token, b"")

    async def post(self, url: str, token: str, body: Any) -> Answer:
        return await self._request("POST", url, token, json.dumps(body).encode())

    async def close(self) -> None:
        for connections in self._idle.values():
            for _, _, writer in connections:
                writer.close()
        self._idle.clear()

    async def _request(self, method: str, url: str, token: str, body: bytes) -> Answer:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        reader, writer = await self._connection(parts.netloc)
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{authorization}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        answer = Answer(int(head[9:12]), await reader.readexactly(length))
        self._idle[parts.netloc].append((time.monotonic(), reader, writer))
        return answer

    async def _connection(self, place: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        kept = self._idle.setdefault(place, [])
        while kept:
            since, reader, writer = kept.pop()
            if time.monotonic() - since < IDLE_SECONDS_MAX and not reader.at_eof():
                return reader, writer
            writer.close()
        host, _, port = place.partition(":")
        return await asyncio.open_connection(host, int(port))
