"""The way to the services: each request goes on as it came, with the caller's token, and its answer comes back."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from chassis import telemetry
from chassis.errors import NotFound, Refusal

PASSED_ON = (
    "authorization",
    "accept",
    "content-type",
    "content-length",
    "idempotency-key",
    "if-match",
    "orderloom-after",
    "traceparent",
)
PASSED_BACK = (
    "content-type",
    "content-length",
    "etag",
    "idempotency-replayed",
    "location",
    "orderloom-event",
    "retry-after",
    "www-authenticate",
)
NOT_FOR_OTHERS = ("healthz", "readyz", "metrics", "docs", "redoc", "openapi.json")
"""What a service answers for those who run it."""

TIMEOUT_SECONDS = 30.0
DOCUMENT_TIMEOUT_SECONDS = 2.0
CONNECTIONS_MAX = 100
KEPT_ALIVE_SECONDS = 3.0
"""Less than the five seconds after which the services close a connection: none is used that is about to go."""


class ServiceAway(Refusal):
    """It does not answer. Whether it did what was asked is not known."""

    status = 503


class NoSuchAddress(NotFound): ...


class Services:
    """A pool of connections to each of them, for the life of the process.

    One a service: a pool looks through all of its connections for every request. And no more of the client around it
    than is needed: cookies, redirects and environments cost as much as the request.
    """

    def __init__(self, addresses: Mapping[str, str], *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._addresses = {name: address.rstrip("/") for name, address in addresses.items()}
        limits = httpx.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=KEPT_ALIVE_SECONDS)
        self._transports = {
            name: transport or httpx.AsyncHTTPTransport(limits=limits, trust_env=False) for name in self._addresses
        }

    async def forward(
        self,
        service: str,
        path: str,
        *,
        method: str,
        query: str,
        headers: Mapping[str, str],
        body: AsyncIterator[bytes] | None,
    ) -> httpx.Response:
        """The service's answer, whose body is still to be read and which is to be closed.

        Raises `NoSuchAddress`, `ServiceAway`, and what reading `body` raises.
        """
        passed_on = {name: headers[name] for name in PASSED_ON if name in headers}
        address = self._address(service, path)
        try:
            request = _request(method, f"{address}{'?' if query else ''}{query}", passed_on, content=body)
        except httpx.InvalidURL as reason:
            raise NoSuchAddress(f"No address is so long, or written so: {reason}") from reason
        try:
            return await self._transports[service].handle_async_request(request)
        except httpx.TransportError as reason:
            raise ServiceAway(
                f"The {service} service does not answer. Try again; what changes something, under the same "
                "Idempotency-Key."
            ) from reason

    async def ask(
        self, service: str, path: str, *, method: str, query: str, headers: Mapping[str, str], json: Any = None
    ) -> httpx.Response:
        """As `forward`, for the gateway's own use: the whole answer. Raises `NoSuchAddress`, `ServiceAway`."""
        url = f"{self._address(service, path)}{'?' if query else ''}{query}"
        try:
            return await self._whole(service, _request(method, url, headers, json=json))
        except httpx.TransportError as reason:
            raise ServiceAway(f"The {service} service does not answer: try again.") from reason

    async def documents(self) -> dict[str, dict[str, Any] | None]:
        """By service, its OpenAPI document, or None while it is away."""
        found = await asyncio.gather(*(self._document(service) for service in self._addresses))
        return dict(zip(self._addresses, found, strict=True))

    def _address(self, service: str, path: str) -> str:
        """Raises `NoSuchAddress`. Dots would be resolved on the way, to what is not for others."""
        segments = path.split("/")
        if service not in self._addresses or segments[0] in ("", *NOT_FOR_OTHERS) or {".", ".."} & set(segments):
            raise NoSuchAddress(f"There is nothing at /api/{service}/{path}: see /docs for what there is.")
        return f"{self._addresses[service]}/{quote(path)}"

    async def _document(self, service: str) -> dict[str, Any] | None:
        url = f"{self._addresses[service]}/openapi.json"
        try:
            answer = await self._whole(service, _request("GET", url, {}, timeout_seconds=DOCUMENT_TIMEOUT_SECONDS))
            document: dict[str, Any] | None = answer.json() if answer.is_success else None
        except (httpx.TransportError, ValueError):
            return None
        return document

    async def _whole(self, service: str, request: httpx.Request) -> httpx.Response:
        answer = await self._transports[service].handle_async_request(request)
        try:
            await answer.aread()
        finally:
            await answer.aclose()
        return answer


def _request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    content: AsyncIterator[bytes] | None = None,
    json: Any = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> httpx.Request:
    """Raises `httpx.InvalidURL`."""
    return httpx.Request(
        method,
        url,
        headers={"accept-encoding": "identity", **headers, **telemetry.carrier()},
        content=content,
        json=json,
        extensions={"timeout": httpx.Timeout(timeout_seconds).as_dict()},
    )


def passed_back(answer: httpx.Response) -> dict[str, str]:
    """Of the headers of a service's answer, those that are the caller's."""
    return {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}


async def read_and_close(answer: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it came. The connection is free again even if the caller went away in the middle."""
    try:
        async for part in answer.aiter_raw():
            yield part
    finally:
        await answer.aclose()
