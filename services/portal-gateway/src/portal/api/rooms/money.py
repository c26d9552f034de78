"""Money in: what may be invoiced, what is open and since when, and what has been received."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Response

from chassis.http import Filter
from portal.pages.ageing import ageing_of
from portal.pages.calls import CallRefused
from portal.pages.visit import SentForm, StaffVisit, Visit, pages_router
from portal.pages.written import exact

money = pages_router()

SHOWN = 50
"""Of what waits. The longest waiting come first, and the rest by link; sums are of all."""
RECEIPTS_SHOWN = 20


@dataclass(frozen=True)
class Places:
    """Where each list of the page begins; None for its beginning."""

    due: str | None = None
    open: str | None = None
    received: str | None = None


async def _places(due: Filter = None, open: Filter = None, received: Filter = None) -> Places:
    return Places(due, open, received)


@money.get("/money")
async def show_money(visit: StaffVisit, places: Annotated[Places, Depends(_places)]) -> Response:
    visit.must("see money")
    return await _page(visit, places)


@money.post("/money/invoices")
async def issue(visit: StaffVisit, sent: SentForm) -> Response:
    """Over one instalment that is due, or over all of an order."""
    visit.must("handle money")
    order_id = sent.id("order_id")
    chosen = sent.texts("instalment_id")
    body = {"instalment_ids": chosen} if chosen else {}
    try:
        answer = await visit.calls.send("finance", f"orders/{order_id}/invoices", body, key=sent.key)
    except CallRefused as refusal:
        return await _page(visit, refused=refusal)
    return visit.done("/money", "invoiced", answer)


@money.post("/money/receipts")
async def record(visit: StaffVisit, sent: SentForm) -> Response:
    """What came in for one invoice; what is more than it is worth stays the client's credit."""
    visit.must("handle money")
    amount, open_amount = exact(sent.text("amount")), exact(sent.text("open_amount"))
    allocated = min(amount, open_amount) if amount and open_amount else amount
    body = {
        "currency": sent.text("currency"),
        "amount": sent.text("amount").replace(",", ""),
        "received_on": sent.optional("received_on"),
        "reference": sent.optional("reference"),
        "allocations": [{"invoice_id": sent.text("invoice_id"), "amount": f"{allocated:f}"}] if allocated else [],
        "order_id": sent.optional("order_id"),
    }
    try:
        answer = await visit.calls.send("finance", "receipts", body, key=sent.key)
    except CallRefused as refusal:
        return await _page(visit, refused=refusal, filled=sent.fields)
    return visit.done("/money", "received", answer)


async def _page(
    visit: Visit,
    places: Places = Places(),
    *,
    refused: CallRefused | None = None,
    filled: dict[str, str] | None = None,
) -> Response:
    due, invoices, receivables, receipts = await asyncio.gather(
        visit.calls.get("finance", "due-instalments", limit=SHOWN, cursor=places.due),
        visit.calls.get("finance", "open-invoices", limit=SHOWN, cursor=places.open),
        visit.calls.get("finance", "receivables"),
        visit.calls.get("finance", "receipts", limit=RECEIPTS_SHOWN, cursor=places.received),
    )
    return visit.render(
        "work/money.html",
        refused=refused,
        errors_are_beside=bool(filled),
        filled=filled or {},
        places=places,
        due=due,
        invoices=invoices,
        ageing=ageing_of(receivables),
        receipts=receipts,
    )
