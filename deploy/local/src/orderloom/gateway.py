"""A client of the platform's public APIs: signs in, tries again what may go away, and never does a thing twice."""

import asyncio
import time
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

PATIENCE_SECONDS = 90.0
"""How long a part may be away before it counts as a failure."""
RETRY_SECONDS = 0.1
TIMEOUT_SECONDS = 60.0
CONNECTIONS_MAX = 16
AWAY = (502, 503, 504)
TRANSIENT = (httpx.TransportError,)


class Refused(Exception):
    """The platform said no, and why."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        try:
            self.problem: dict[str, Any] = answer.json()
        except ValueError:
            self.problem = {"title": answer.text[:200]}
        request = answer.request
        super().__init__(f"{request.method} {request.url.path}: {self.status} {self.problem.get('title', '')}")

    @property
    def sentence(self) -> str:
        """For people: what was said, and where something is wrong."""
        wrong = [f"{error['field']}: {error['reason']}" for error in self.problem.get("errors", ())]
        return "\n".join([self.problem.get("title") or str(self), *wrong])


class Gateway:
    """One address, many people: each request is made in the name of one of them.

    An unsafe request carries an `Idempotency-Key`, so that it can be sent again when its answer was lost.
    """

    def __init__(
        self,
        url: str,
        passwords: dict[str, str],
        *,
        password: str = "",
        patience_seconds: float = PATIENCE_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`passwords` by user; `password` is that of everyone else. A `transport` of one's own sees every attempt."""
        self._passwords = passwords
        self._password = password
        self._patience_seconds = patience_seconds
        self._tokens: dict[str, str] = {}
        self._signing_in: dict[str, asyncio.Lock] = {}
        self._http = httpx.AsyncClient(
            base_url=url,
            timeout=TIMEOUT_SECONDS,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, user: str, path: str, **more: Any) -> Any:
        """The JSON of the answer. Raises `Refused`."""
        return (await self.request(user, "GET", path, **more)).json()

    async def post(self, user: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Raises `Refused`."""
        return await self.request(user, "POST", path, json={} if body is None else body, **more)

    async def put(self, user: str, path: str, body: Any, **more: Any) -> httpx.Response:
        """Raises `Refused`."""
        return await self.request(user, "PUT", path, json=body, **more)

    async def all_pages(self, user: str, path: str, **params: Any) -> list[dict[str, Any]]:
        """Every row of a list that comes in pages."""
        rows: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = await self.get(user, path, params={"limit": 200} | params | ({"cursor": cursor} if cursor else {}))
            rows += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return rows

    async def request(
        self, user: str, method: str, path: str, *, after: str | None = None, **more: Any
    ) -> httpx.Response:
        """The answer, seen after the event `after` was read. Raises `Refused`, and `httpx` errors after a while."""
        headers = {"Idempotency-Key": str(uuid4())} if method != "GET" else {}
        if after:
            headers["Orderloom-After"] = after
        headers |= more.pop("headers", {})
        deadline = time.monotonic() + self._patience_seconds
        while True:
            answer = await self._try(user, method, path, headers, more, deadline)
            if answer is not None:
                break
            await asyncio.sleep(RETRY_SECONDS)
        if answer.status_code >= 400:
            raise Refused(answer)
        return answer

    async def _try(
        self, user: str, method: str, path: str, headers: dict[str, str], more: dict[str, Any], deadline: float
    ) -> httpx.Response | None:
        """The answer, or None when it may be another one a moment later."""
        may_wait = time.monotonic() < deadline
        try:
            token = await self._token(user)
            answer = await self._http.request(
                method, path, headers=headers | {"Authorization": f"Bearer {token}"}, **more
            )
        except TRANSIENT:
            if may_wait:
                return None
            raise
        if answer.status_code == 401 and self._tokens.get(user) == token:
            del self._tokens[user]  # it has expired
            return None if may_wait else answer
        return None if answer.status_code in (*AWAY, 429) and may_wait else answer

    async def _token(self, user: str) -> str:
        async with self._signing_in.setdefault(user, asyncio.Lock()):
            if user not in self._tokens:
                body = {"user": user, "password": self._passwords.get(user, self._password)}
                answer = await self._http.post("/auth/sign-in", json=body)
                if answer.status_code >= 400 and answer.status_code not in AWAY:
                    raise Refused(answer)
                if answer.status_code in AWAY:
                    raise httpx.ConnectError("The gateway is away.")
                self._tokens[user] = answer.json()["token"]
            return self._tokens[user]
