"""A file of orders: one JSON object a line, each taken or rejected by itself."""

from typing import Annotated

from fastapi import Query

from chassis.http import Now, Session, router
from order import operations
from order.api.orders import Placer, RawBody, ServiceSettings, source_of
from order.schemas import ImportedLineOut, ImportOut

imports = router(prefix="/orders", tags=["orders"])

LINES_BODY = {"requestBody": {"required": True, "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}}


@imports.post("/import", openapi_extra=LINES_BODY)
async def import_orders(
    raw: RawBody,
    session: Session,
    principal: Placer,
    settings: ServiceSettings,
    now: Now,
    first_line: Annotated[int, Query(ge=1)] = 1,
) -> ImportOut:
    """Place every line that is right; say of every other what is wrong. Blank lines are counted and skipped.

    `first_line` is the number of the first line sent: send a large file in parts of up to 100 lines.
    """
    results = await operations.import_orders(
        session,
        raw,
        first_line=first_line,
        source=source_of(principal),
        requester=principal.actor,
        company_currency=settings.company_currency,
        now=now,
    )
    return ImportOut(results=[ImportedLineOut.model_validate(result) for result in results])
