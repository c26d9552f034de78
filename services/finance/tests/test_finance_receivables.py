"""What clients owe, one by one and by age: it is what the ledger calls receivable, to the cent."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import finance_world as world
import pytest

from chassis.clock import business_date, utc_now
from chassis.ids import new_id
from contracts.order import ClientRef
from finance import queries
from finance.queries import receivables
from stack import Running

BANDS = ("not_overdue", "overdue_1_to_30", "overdue_31_to_60", "overdue_61_and_more")


async def invoiced(
    finance: Running, *, client_id: UUID = world.CLIENT_ID, name: str = "Example Works", **more: Any
) -> Any:
    """The invoice of a new order's advance; 339.00 unless its lines say otherwise."""
    client = ClientRef(id=client_id, code=f"C-{client_id.hex[-4:]}", name=name)
    order = world.approved(**more).model_copy(update={"client": client})
    await finance.hear(order)
    return await world.issue(finance, order.order_id)


async def receivable_in_the_ledger(finance: Running) -> dict[str, str]:
    balances = (await finance.get("/ledger/trial-balance", world.FINANCE)).json()
    return {
        each["currency"]: account["balance"]
        for each in balances
        for account in each["accounts"]
        if account["account"] == "receivable"
    }


async def aged(finance: Running, *, in_days: int) -> receivables.Aged:
    """The only currency, as it will be seen then."""
    today = business_date(utc_now(), finance.settings.company_zone)
    async with finance.database.transaction() as session:
        (found,) = await queries.age_receivables(session, as_of=today + dt.timedelta(days=in_days))
    return found.open


async def test_rule_20_receivables_add_up_to_the_ledger_by_currency_and_client(finance_service: Running) -> None:
    other = new_id()
    paid, partly, _ = [await invoiced(finance_service) for _ in range(3)]
    await invoiced(finance_service, client_id=other, name="Larger Works")
    await invoiced(finance_service, client_id=other, name="Larger Works, renamed")
    yen = world.line("1001", currency="JPY")
    order = world.approved(yen, currency="JPY")
    await finance_service.hear(order)
    await world.issue(finance_service, order.order_id)
    await world.receive(finance_service, paid)
    await world.receive(finance_service, partly, "0.01")
    cny, jpy = (await finance_service.get("/receivables", world.FINANCE)).json()
    assert (cny["currency"], cny["invoices"], cny["open"]["total"]) == ("CNY", 4, "1355.99")
    assert cny["as_of"] == str(business_date(utc_now(), finance_service.settings.company_zone))
    owing = [(each["client_name"], each["invoices"], each["open"]["total"]) for each in cny["clients"]]
    assert owing == [("Larger Works, renamed", 2, "678.00"), ("Example Works", 2, "677.99")]
    assert (jpy["currency"], jpy["open"]["not_overdue"], jpy["open"]["overdue_1_to_30"]) == ("JPY", "339", "0")
    found = {each["currency"]: each["open"]["total"] for each in (cny, jpy)}
    assert found == await receivable_in_the_ledger(finance_service)


@pytest.mark.parametrize(("in_days", "band"), [(0, 0), (30, 0), (31, 1), (60, 1), (61, 2), (90, 2), (91, 3), (4000, 3)])
async def test_each_day_past_the_day_of_payment_falls_into_its_band(
    finance_service: Running, in_days: int, band: int
) -> None:
    """An invoice is payable 30 days after it was issued."""
    await invoiced(finance_service)
    found = await aged(finance_service, in_days=in_days)
    assert [found.bands.index(amount) for amount in found.bands if amount] == [band]
    assert found.total == Decimal("339.00")


async def test_beyond_the_clients_shown_the_others_are_added_up(
    finance_service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receivables, "CLIENTS_SHOWN", 1)
    for _ in range(3):
        await invoiced(finance_service, client_id=new_id())
    (found,) = (await finance_service.get("/receivables", world.FINANCE)).json()
    assert (len(found["clients"]), found["other_clients"], found["others"]["total"]) == (1, 2, "678.00")
    parts = [found["clients"][0]["open"], found["others"]]
    assert {band: sum(Decimal(part[band]) for part in parts) for band in BANDS} == {
        band: Decimal(found["open"][band]) for band in BANDS
    }


async def test_open_invoices_come_oldest_first_and_by_cursor(finance_service: Running) -> None:
    invoices = [await invoiced(finance_service) for _ in range(4)]
    await world.receive(finance_service, invoices[1])
    expected = [each["number"] for number, each in enumerate(invoices) if number != 1]
    first = (await finance_service.get("/open-invoices?limit=2", world.SALES)).json()
    rest = (await finance_service.get(f"/open-invoices?cursor={first['next_cursor']}", world.SALES)).json()
    assert [each["number"] for each in first["items"] + rest["items"]] == expected
    assert (first["items"][0]["client_name"], rest["next_cursor"]) == ("Example Works", None)
    payable_by = dt.date.fromisoformat(invoices[0]["payable_by"])
    for until, count in ((payable_by, 3), (payable_by - dt.timedelta(days=1), 0)):
        of_then = (await finance_service.get(f"/open-invoices?until={until}", world.SALES)).json()
        assert len(of_then["items"]) == count
    assert (await finance_service.get("/open-invoices?until=soon", world.SALES)).status_code == 422


async def test_an_invoice_over_several_instalments_is_open_once_until_the_last_is_paid(
    finance_service: Running,
) -> None:
    terms = (world.on_date(dt.date(2020, 1, 1), code="a", percent=40), world.on_date(dt.date(2020, 1, 2), percent=60))
    invoice = await invoiced(finance_service, terms=terms)
    assert len(invoice["instalment_ids"]) == 2
    await world.receive(finance_service, invoice, "452.00")  # the first of them
    (open_one,) = (await finance_service.get("/open-invoices", world.FINANCE)).json()["items"]
    (owed,) = (await finance_service.get("/receivables", world.FINANCE)).json()
    assert (open_one["number"], open_one["open_amount"]) == (invoice["number"], "678.00")
    assert (owed["invoices"], owed["open"]["total"]) == (1, "678.00")
    assert await receivable_in_the_ledger(finance_service) == {"CNY": "678.00"}


async def test_without_an_open_invoice_there_is_nothing_to_age(finance_service: Running) -> None:
    assert (await finance_service.get("/receivables", world.FINANCE)).json() == []
    assert (await finance_service.get("/open-invoices", world.FINANCE)).json() == {"items": [], "next_cursor": None}
    assert (await finance_service.get("/receivables", world.SALES)).status_code == 403
    for path in ("/receivables", "/open-invoices"):
        assert (await finance_service.get(path)).status_code == 401
        assert (await finance_service.get(path, world.CLIENT)).status_code == 403
