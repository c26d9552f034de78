"""Placing the orders of a file, each line by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.errors import FieldError, Refusal, TooLarge
from order import intake
from order.operations.orders import place_order

LINES_MAX = 100
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class TooManyLines(TooLarge): ...


@dataclass(frozen=True)
class ImportedLine:
    """What became of a line, counted from 1 in its file."""

    line: int
    outcome: Literal["accepted", "unchanged", "rejected"]
    external_id: str | None
    order_id: UUID | None = None
    order_no: str | None = None
    errors: tuple[FieldError, ...] = ()


async def import_orders(
    session: AsyncSession,
    raw: bytes,
    *,
    first_line: int,
    source: str,
    requester: str,
    company_currency: str,
    now: datetime,
) -> list[ImportedLine]:
    """A line that is wrong is rejected with every error in it, and does not take its id. Raises `TooManyLines`."""
    lines = list(_lines(raw, first_line))
    if len(lines) > LINES_MAX:
        raise TooManyLines(f"Send at most {LINES_MAX} lines at once, and say the number of the first in first_line.")
    results = []
    for number, line in lines:
        given: Any = None
        try:
            given = intake.parse(line)
            placed = await place_order(
                session, given, source=source, requester=requester, company_currency=company_currency, now=now
            )
        except Refusal as refusal:
            errors = refusal.errors or (FieldError("", str(refusal)),)
            results.append(ImportedLine(number, "rejected", intake.external_id_of(given), errors=tuple(errors)))
            continue
        await session.flush()  # a later line may be about the same external id, or the same new client
        order, outcome = placed.order, "accepted" if placed.is_new else "unchanged"
        results.append(ImportedLine(number, outcome, order.external_id, order.order_id, order.order_no))  # type: ignore[arg-type]
    return results


def _lines(raw: bytes, first_line: int) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers. LF alone ends a line; a CR before it is dropped."""
    if first_line == 1:
        raw = raw.removeprefix(BYTE_ORDER_MARK)
    for number, line in enumerate(raw.split(b"\n"), start=first_line):
        content = line.removesuffix(b"\r")
        if content.strip(b" \t"):
            yield number, content
