"""Invoice numbers have no gap, and nothing is invoiced twice, however many people issue at once."""

import asyncio
import datetime as dt
from collections import Counter
from uuid import UUID

import finance_world as world
import httpx

from chassis import outbox
from chassis.versions import Expected
from finance import operations
from stack import Running

ORDERS = 24


async def issue_at(finance: Running, order_id: UUID, now: dt.datetime) -> str:
    async with finance.database.transaction(outbox.Cause(id="test", actor="user:chen")) as session:
        invoice = await operations.issue_invoice(
            session,
            order_id=order_id,
            instalment_ids=None,
            expected=Expected(None, by_header=True),
            payment_days=30,
            zone=finance.settings.company_zone,
            by="user:chen",
            now=now,
        )
        return invoice.number


async def test_rule_20_numbers_have_no_gap_though_requests_fail_after_drawing_one(finance_service: Running) -> None:
    orders = [world.approved() for _ in range(ORDERS)]
    await finance_service.hear(*orders)

    async def issue(position: int) -> httpx.Response:
        # Every third shares a key with two others: all but one of these fail when they commit, with a number drawn.
        headers = {"Idempotency-Key": f"k-{position // 9}"} if position % 3 == 0 else {}
        path = f"/orders/{orders[position].order_id}/invoices"
        return await finance_service.post(path, world.FINANCE, headers=headers)

    answers = await asyncio.gather(*(issue(position) for position in range(ORDERS)))
    issued = [each.json()["number"] for each in answers if each.status_code == 201]
    assert Counter(each.status_code for each in answers) == {201: 19, 422: 5}
    year = issued[0].split("-")[1]
    assert sorted(issued) == [f"INV-{year}-{n:05}" for n in range(1, 20)]
    retried = [await issue_again(finance_service, order.order_id) for order in orders]
    assert sorted(number for number in retried if number) == [f"INV-{year}-{n:05}" for n in range(20, ORDERS + 1)]
    assert await world.defects(finance_service) == []


async def issue_again(finance: Running, order_id: UUID) -> str | None:
    answer = await finance.post(f"/orders/{order_id}/invoices", world.FINANCE)
    return str(answer.json()["number"]) if answer.status_code == 201 else None


async def test_of_two_people_who_invoice_the_same_at_once_one_is_refused(finance_service: Running) -> None:
    order = world.approved()
    await finance_service.hear(order)
    account = await world.account_of(finance_service, order.order_id)
    body = {"instalment_ids": [account["instalments"][0]["id"]]}
    path = f"/orders/{order.order_id}/invoices"
    answers = await asyncio.gather(*(finance_service.post(path, world.FINANCE, json=body) for _ in range(6)))
    assert Counter(each.status_code for each in answers) == {201: 1, 409: 5}
    assert {each.json()["type"] for each in answers if each.status_code == 409} == {"instalment-already-invoiced"}
    assert (await finance_service.rows("SELECT last_number FROM invoice_series")) == [{"last_number": 1}]


async def test_receipts_over_the_same_orders_in_any_order_never_pay_too_much(finance_service: Running) -> None:
    orders = [world.approved() for _ in range(3)]
    await finance_service.hear(*orders)
    invoices = [await world.issue(finance_service, each.order_id) for each in orders]

    async def receive(start: int) -> httpx.Response:
        turned = invoices[start % 3 :] + invoices[: start % 3]
        allocations = [{"invoice_id": each["invoice_id"], "amount": "100.00"} for each in turned]
        body = {"currency": "CNY", "amount": "300.00", "allocations": allocations}
        return await finance_service.post("/receipts", world.FINANCE, json=body)

    answers = await asyncio.gather(*map(receive, range(9)))
    assert Counter(each.status_code for each in answers) == {201: 3, 409: 6}
    assert {each.json()["type"] for each in answers if each.status_code == 409} == {"more-than-open"}
    assert await world.defects(finance_service) == []


async def test_each_year_of_the_company_zone_has_its_own_series(finance_service: Running) -> None:
    orders = [world.approved() for _ in range(3)]
    await finance_service.hear(*orders)
    last_second = dt.datetime(2026, 12, 31, 15, 59, 59, tzinfo=dt.UTC)
    times = (last_second, last_second + dt.timedelta(seconds=1), last_second)
    numbers = [await issue_at(finance_service, each.order_id, now) for each, now in zip(orders, times, strict=True)]
    assert numbers == ["INV-2026-00001", "INV-2027-00001", "INV-2026-00002"]
    assert await world.defects(finance_service) == []
