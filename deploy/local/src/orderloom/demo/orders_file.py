"""The orders of a file, handed to the platform line by line."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.order_body import BODY_BYTES_MAX
from orderloom.gateway import Gateway

LINES_A_REQUEST = 20
BYTES_A_REQUEST = 4 * 1024 * 1024


@dataclass
class Imported:
    """What became of a file: its orders by id, in the order of their lines, and the lines that were rejected."""

    orders: dict[str, str] = field(default_factory=dict)
    """By order id, the external id."""
    rejected: list[dict[str, Any]] = field(default_factory=list)


async def import_file(gateway: Gateway, seller: str, path: Path) -> AsyncIterator[Imported]:
    """The same `Imported` after each part of the file, growing."""
    imported = Imported()
    for first_line, content in _parts(path):
        answer = await gateway.request(
            seller,
            "POST",
            "/api/order/orders/import",
            params={"first_line": first_line},
            content=content,
            headers={"content-type": "application/x-ndjson"},
        )
        for result in answer.json()["results"]:
            if result["outcome"] == "rejected":
                imported.rejected.append({name: result[name] for name in ("line", "external_id", "errors")})
            else:
                imported.orders[result["order_id"]] = result["external_id"]
        yield imported


def _parts(path: Path) -> Iterator[tuple[int, bytes]]:
    """Some lines at a time, with the number of the first. LF alone ends a line."""
    lines: list[bytes] = []
    first_line = 1
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file.read()), start=1):
            if lines and (len(lines) == LINES_A_REQUEST or sum(map(len, lines)) + len(line) > BYTES_A_REQUEST):
                yield first_line, b"\n".join(lines)
                lines, first_line = [], number
            lines.append(line)
    if lines:
        yield first_line, b"\n".join(lines)


def _lines(content: bytes) -> Iterator[bytes]:
    for line in content.split(b"\n"):
        # Of a line that is too large, so much that the platform can see that it is.
        yield line if len(line) <= BODY_BYTES_MAX + 1 else line[: BODY_BYTES_MAX + 2]
