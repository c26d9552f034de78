"""One OpenAPI document of the gateway's own endpoints and those of the services behind it."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
SCHEMAS = "#/components/schemas/"
KEPT_SECONDS = 60.0
KEPT_SECONDS_WHILE_AWAY = 5.0


class KeptDocument:
    """The merged document, read from the services at most once a minute; while one is away, every five seconds."""

    def __init__(self) -> None:
        self._document: Document = {}
        self._good_until = float("-inf")

    async def get(self, own: Document, read: Callable[[], Awaitable[Mapping[str, Document | None]]]) -> Document:
        now = time.monotonic()
        if now >= self._good_until:
            of_services = await read()
            self._document = merged(own, of_services)
            self._good_until = now + (KEPT_SECONDS_WHILE_AWAY if None in of_services.values() else KEPT_SECONDS)
        return self._document


def merged(own: Document, of_services: Mapping[str, Document | None]) -> Document:
    """`own` with the services' paths under `/api/{service}`. A service without a document is left out, and named."""
    paths, schemas = dict(own["paths"]), dict(own.get("components", {}).get("schemas", {}))
    for service, document in of_services.items():
        if document is None:
            continue
        moved = _with_prefix(document, prefix=f"{service}_")
        for path, item in moved["paths"].items():
            paths[f"/api/{service}{path}"] = _tagged(item, service)
        for name, schema in moved.get("components", {}).get("schemas", {}).items():
            schemas[f"{service}_{name}"] = schema
    away = [service for service, document in of_services.items() if document is None]
    note = f"Left out, since they do not answer now: {', '.join(away)}." if away else ""
    return own | {
        "info": own["info"] | {"title": "Orderloom", "description": note},
        "paths": paths,
        "components": {**own.get("components", {}), "schemas": schemas},
    }


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str
    summary: str


def endpoints_by_tag(document: Document) -> dict[str, list[Endpoint]]:
    """What a page can list of a document."""
    listed: dict[str, list[Endpoint]] = {}
    for path, method, operation in _operations(document):
        endpoint = Endpoint(method.upper(), path, operation.get("summary", ""))
        listed.setdefault(operation.get("tags", [""])[0], []).append(endpoint)
    return listed


def _operations(document: Document) -> Iterable[tuple[str, str, Document]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _tagged(item: Document, service: str) -> Document:
    """One tag for every noun of a service, and an id that no other service has."""
    return {
        method: operation
        | {
            "tags": [f"{service}: {tag}" for tag in operation.get("tags", ["other"])],
            "operationId": f"{service}_{operation.get('operationId', '')}",
        }
        if method in METHODS
        else operation
        for method, operation in item.items()
    }


def _with_prefix(part: Any, *, prefix: str) -> Any:
    """`part`, in which every reference to a schema has the prefix."""
    if isinstance(part, dict):
        return {name: _with_prefix(value, prefix=prefix) for name, value in part.items()}
    if isinstance(part, list):
        return [_with_prefix(each, prefix=prefix) for each in part]
    if isinstance(part, str) and part.startswith(SCHEMAS):
        return f"{SCHEMAS}{prefix}{part.removeprefix(SCHEMAS)}"
    return part
