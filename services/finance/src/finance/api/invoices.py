"""Invoices: issued over what is due, and read."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Request, Response

from chassis.http import IfMatch, Now, PageCut, Session, Staff, holding, router
from chassis.paging import Page
from chassis.principal import Principal
from chassis.versions import etag
from contracts.roles import FINANCE, FINANCE_MANAGER
from finance import operations, queries
from finance.models import Invoice
from finance.schemas import InvoiceIn, InvoiceOfOrderOut
from finance.settings import Settings

invoices = router(tags=["invoices"])

Accountant = Annotated[Principal, holding(FINANCE, FINANCE_MANAGER)]
ALL_THAT_IS_DUE = InvoiceIn()


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


ServiceSettings = Annotated[Settings, Depends(_settings)]


@invoices.post("/orders/{order_id}/invoices", status_code=201, response_model=InvoiceOfOrderOut)
async def issue_invoice(
    order_id: UUID,
    response: Response,
    session: Session,
    principal: Accountant,
    expected: IfMatch,
    settings: ServiceSettings,
    now: Now,
    body: InvoiceIn = ALL_THAT_IS_DUE,
) -> Invoice:
    """One invoice over the instalments named, or over all that are due."""
    invoice = await operations.issue_invoice(
        session,
        order_id=order_id,
        instalment_ids=body.instalment_ids,
        expected=expected,
        payment_days=settings.payment_days,
        zone=settings.company_zone,
        by=principal.actor,
        now=now,
    )
    response.headers.update(etag(invoice.account.version))
    return invoice


@invoices.get("/invoices", response_model=Page[InvoiceOfOrderOut])
async def list_invoices(
    session: Session,
    principal: Staff,
    cut: PageCut,
    status: Literal["open", "paid"] | None = None,
    order_id: UUID | None = None,
) -> Any:
    """The newest first."""
    rows = await queries.list_invoices(session, cut, status=status, order_id=order_id)
    return cut.page(rows, lambda invoice: [invoice.invoice_id])


@invoices.get("/invoices/{invoice_id}", response_model=InvoiceOfOrderOut)
async def get_invoice(invoice_id: UUID, session: Session, principal: Staff) -> Invoice:
    return await queries.get_invoice(session, invoice_id)
