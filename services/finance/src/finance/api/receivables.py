"""What clients still owe: read only."""

import datetime as dt
from typing import Any

from chassis.clock import business_date
from chassis.http import Now, PageCut, Session, Staff, router
from chassis.paging import Page
from finance import queries
from finance.api.invoices import ServiceSettings
from finance.api.ledger import BookReader
from finance.schemas import InvoiceOfOrderOut, ReceivablesOut

receivables = router(tags=["receivables"])


@receivables.get("/open-invoices", response_model=Page[InvoiceOfOrderOut])
async def list_open_invoices(session: Session, principal: Staff, cut: PageCut, until: dt.date | None = None) -> Any:
    """What is still to be paid, the oldest first; of what is payable by the date `until`, if one is given."""
    rows = await queries.list_open_invoices(session, cut, until=until)
    return cut.page(rows, lambda invoice: [invoice.invoice_id])


@receivables.get("/receivables", response_model=list[ReceivablesOut])
async def age_receivables(session: Session, principal: BookReader, settings: ServiceSettings, now: Now) -> Any:
    """By currency, client and age, as of today in the company's zone. The sum is what the ledger calls receivable."""
    return await queries.age_receivables(session, as_of=business_date(now, settings.company_zone))
