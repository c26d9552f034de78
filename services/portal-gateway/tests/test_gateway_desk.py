"""What people read first: how all orders stand and what waits for them, however long the lists are."""

import datetime as dt
from uuid import UUID

import pytest
from gateway_world import CANCELLED, CLIENT, DIRECTORY, ORDER, SALES, STRANGER, UNTIL_PLANNED, example, placed

from chassis.paging import Cut
from chassis.principal import Principal
from contracts.finance import InvoiceIssued, ReceiptRecorded
from contracts.order import OrderApproved, OrderCancelled, OrderHeld
from contracts.project import DeliverySubmitted, ProjectCreated
from portal import queries
from portal.pages.marks import late_days
from stack import Running

TODAY = dt.date(2026, 12, 1)
CLIENT_PRINCIPAL, STRANGER_PRINCIPAL = (
    Principal(kind="client", user_id=who.user_id, client_id=who.client_id) for who in (CLIENT, STRANGER)
)
NEWER = tuple(placed(2**127 + number).model_copy(update={"order_no": f"ORD-9{number}"}) for number in range(3))
"""Orders of the same company, none of which waits for it."""


def billed(payable_by: dt.date) -> InvoiceIssued:
    return example(InvoiceIssued, payable_by=payable_by)


async def waiting(gateway: Running, *, until: dt.date = TODAY, who: Principal = CLIENT_PRINCIPAL) -> list[UUID]:
    async with gateway.database.transaction() as session:
        found = await queries.list_waiting_on_client(session, seen_by=who, payable_until=until)
        return [view.order_id for view in found]


async def test_what_waits_is_found_behind_any_number_of_newer_orders(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED, example(DeliverySubmitted), *NEWER)
    first = (await gateway.get("/?limit=2&lang=en", CLIENT)).text
    assert "Accept the delivery" in first and "4 orders under way" in first and "1 thing waits for you" in first
    second = await gateway.get("/?limit=2&status=approved&lang=en", CLIENT)
    assert "Accept the delivery" not in second.text and "waits for you" not in second.text
    strangers = (await gateway.get("/?limit=2&lang=en", STRANGER)).text
    assert "Accept the delivery" not in strangers and "4 orders" not in strangers


@pytest.mark.parametrize(("days", "waits"), [(-400, True), (0, True), (1, False)])
async def test_an_unpaid_invoice_waits_once_it_is_payable_soon(gateway: Running, days: int, waits: bool) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED, billed(TODAY + dt.timedelta(days=days)), *NEWER)
    assert await waiting(gateway) == [ORDER] * waits
    assert await waiting(gateway, who=STRANGER_PRINCIPAL) == []


async def test_what_is_paid_waits_for_nobody_and_what_was_cancelled_may_still_be_owed(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *CANCELLED[:-3], billed(TODAY), *CANCELLED[-3:])
    assert await waiting(gateway) == [ORDER]
    await gateway.hear(example(ReceiptRecorded))
    assert await waiting(gateway) == []


async def under_way(gateway: Running, number: int, *, wanted: dt.date | None) -> None:
    """An order that is planned until 1 December 2026."""
    order_id = UUID(int=number + 1)
    await gateway.hear(placed(number, requested_date=wanted), example(OrderApproved, order_id=order_id))
    await gateway.hear(example(ProjectCreated, order_id=order_id, tasks=()))


@pytest.mark.parametrize("today", [dt.date(2026, 11, 1), dt.date(2026, 12, 4), dt.date(2027, 3, 1)])
async def test_as_many_are_late_as_are_late_one_by_one(gateway: Running, today: dt.date) -> None:
    await gateway.hear(*DIRECTORY, *NEWER)
    for number, wanted in enumerate((None, dt.date(2026, 11, 2), dt.date(2026, 12, 4), dt.date(2027, 2, 1)), start=50):
        await under_way(gateway, number, wanted=wanted)
    await gateway.hear(example(OrderHeld, order_id=UUID(int=52)), example(OrderCancelled, order_id=UUID(int=53)))
    async with gateway.database.transaction() as session:
        views = await queries.list_orders(session, Cut(50, None), seen_by=CLIENT_PRINCIPAL)
        counts = await queries.count_of_client(session, seen_by=CLIENT_PRINCIPAL, today=today)
    assert (counts.under_way, len(views)) == (6, 7)
    assert counts.late == sum(late_days(view, today) > 0 for view in views) > 0


async def test_the_desk_says_when_there_are_more_than_it_shows_and_leads_to_all_of_them(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY)
    for number in range(9):
        await under_way(gateway, number, wanted=dt.date(2026, 1, 1))
    await under_way(gateway, 20, wanted=dt.date(2999, 1, 1))
    desk = (await gateway.get("/?lang=en", SALES)).text
    assert "8+ late orders" in desk and desk.count('data-due="late"') >= 8 and "/orders?status=late" in desk
    late = (await gateway.get("/orders?status=late&lang=en", SALES)).text
    assert all(f"ORD-{number:06}" in late for number in range(9)) and "ORD-000020" not in late
    assert "ORD-000020" in (await gateway.get("/orders?status=approved", SALES)).text
