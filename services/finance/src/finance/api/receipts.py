"""Receipts: money that came in."""

from typing import Any

from fastapi import Response

from chassis.http import IfMatch, Now, PageCut, Session, Staff, router
from chassis.paging import Page
from chassis.versions import etag
from finance import operations, queries
from finance.api.invoices import Accountant, ServiceSettings
from finance.models import Receipt
from finance.schemas import ReceiptIn, ReceiptOut

receipts = router(prefix="/receipts", tags=["receipts"])


@receipts.post("", status_code=201, response_model=ReceiptOut)
async def record_receipt(
    body: ReceiptIn,
    response: Response,
    session: Session,
    principal: Accountant,
    expected: IfMatch,
    settings: ServiceSettings,
    now: Now,
) -> Receipt:
    """Allocated to the invoices named; what is left stays the client's open credit.

    `If-Match` and `ETag` are the version of the account of `order_id`, or of the first invoice.
    """
    recorded = await operations.record_receipt(
        session,
        currency=body.currency,
        amount=body.amount,
        received_on=body.received_on,
        reference=body.reference,
        wanted={each.invoice_id: each.amount for each in body.allocations},
        order_id=body.order_id,
        expected=expected,
        zone=settings.company_zone,
        by=principal.actor,
        now=now,
    )
    response.headers.update(etag(recorded.account.version))
    return recorded


@receipts.get("", response_model=Page[ReceiptOut])
async def list_receipts(session: Session, principal: Staff, cut: PageCut) -> Any:
    """The newest first."""
    return cut.page(await queries.list_receipts(session, cut), lambda receipt: [receipt.receipt_id])
