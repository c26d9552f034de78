"""The account of an order, and what may be invoiced."""

from typing import Any
from uuid import UUID

from fastapi import Response

from chassis.http import PageCut, Session, Staff, router
from chassis.paging import Page
from chassis.versions import etag
from finance import queries
from finance.schemas import AccountOut, DueInstalmentOut, ReceiptOfOrderOut

accounts = router(tags=["accounts"])


@accounts.get("/orders/{order_id}/account")
async def get_account(order_id: UUID, response: Response, session: Session, principal: Staff) -> AccountOut:
    """What is owed for the order, what is invoiced of it, and what was received."""
    view = await queries.get_account(session, order_id)
    response.headers.update(etag(view.account.version))
    receipts = [ReceiptOfOrderOut.of(receipt, part) for receipt, part in view.receipts]
    return AccountOut.model_validate(view.account).model_copy(update={"receipts": receipts})


@accounts.get("/due-instalments", response_model=Page[DueInstalmentOut])
async def list_due_instalments(session: Session, principal: Staff, cut: PageCut) -> Any:
    """What may be invoiced now, the longest waiting first. Orders on hold are left out."""
    rows = await queries.list_due_instalments(session, cut)
    return cut.page(rows, lambda instalment: [instalment.due_date, instalment.instalment_id])
