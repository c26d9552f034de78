"""Invoices, receipts and the ledger over HTTP."""

import datetime as dt
from typing import Any
from uuid import UUID

import finance_world as world
import httpx
import pytest
from sqlalchemy.exc import DBAPIError

from chassis.clock import business_date, utc_now
from chassis.ids import new_id
from contracts.order import OrderApproved
from stack import Running, problems


def today(finance: Running) -> dt.date:
    return business_date(utc_now(), finance.settings.company_zone)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


async def heard(finance: Running, *lines: Any, **more: Any) -> OrderApproved:
    """An order that the service has heard of."""
    order = world.approved(*lines, **more)
    await finance.hear(order)
    return order


async def test_an_order_goes_from_approval_to_settled(finance_service: Running) -> None:
    at_once = world.RETENTION.model_copy(update={"days": 0})
    order = await heard(finance_service, terms=(world.ADVANCE, world.ACCEPTANCE, at_once))
    advance = await world.issue(finance_service, order.order_id)
    assert (advance["number"], advance["net"], advance["tax"], advance["total"]) == (
        f"INV-{today(finance_service).year}-00001",
        "300.00",
        "39.00",
        "339.00",
    )
    assert advance["by_rate"] == [{"tax_rate": "0.13", "net": "300.00", "tax": "39.00"}]
    assert advance["payable_by"] == str(today(finance_service) + dt.timedelta(days=30))
    await world.receive(finance_service, advance, reference="TT 4711")
    await finance_service.hear(world.accepted(order.order_id))
    rest = await world.issue(finance_service, order.order_id)
    assert (rest["total"], len(rest["instalment_ids"])) == ("791.00", 2)
    await world.receive(finance_service, rest, "700.00")
    await world.receive(finance_service, rest, "91.00")
    account = await world.account_of(finance_service, order.order_id)
    assert (account["status"], [each["status"] for each in account["instalments"]]) == ("settled", ["paid"] * 3)
    assert [each["open_amount"] for each in account["invoices"]] == ["0.00", "0.00"]
    assert [each["amount"] for each in account["receipts"]] == ["339.00", "700.00", "91.00"]
    assert account["receipts"][0]["reference"] == "TT 4711"
    told = [each["type"].split(".v")[0] for each in await finance_service.told()]
    assert told == [
        "instalments.planned",
        "invoice.issued",
        *("receipt.recorded", "instalment.paid"),
        *("instalment.due", "instalment.due"),
        "invoice.issued",
        *("receipt.recorded", "instalment.paid"),
        *("receipt.recorded", "instalment.paid", "account.settled"),
    ]
    (balance,) = (await finance_service.get("/ledger/trial-balance", world.FINANCE)).json()
    assert {each["account"]: each["balance"] for each in balance["accounts"]} == {
        "bank": "1130.00",
        "contract_asset": "0.00",
        "contract_liability": "0.00",
        "receivable": "0.00",
        "revenue": "-1000.00",
        "vat_payable": "-130.00",
    }
    assert balance["debit"] == balance["credit"]
    assert await world.defects(finance_service) == []


@pytest.mark.parametrize(
    ("currency", "net", "amounts"),
    [("JPY", "1001", ["330", "661", "110"]), ("KWD", "0.010", ["0.003", "0.007", "0.001"])],
)
async def test_amounts_have_the_digits_of_their_currency(
    finance_service: Running, currency: str, net: str, amounts: list[str]
) -> None:
    order = await heard(finance_service, world.line(net, "0.10", currency=currency), currency=currency)
    account = await world.account_of(finance_service, order.order_id)
    assert [each["amount"] for each in account["instalments"]] == amounts
    invoice = await world.issue(finance_service, order.order_id)
    await world.receive(finance_service, invoice)
    paid = (await world.account_of(finance_service, order.order_id))["instalments"][0]
    assert (paid["paid_amount"], paid["status"]) == (amounts[0], "paid")
    assert await world.defects(finance_service) == []


async def test_named_instalments_are_invoiced_and_the_rest_waits(finance_service: Running) -> None:
    terms = (world.ADVANCE, world.ADVANCE.model_copy(update={"code": "second", "percent": 70}))
    order = await heard(finance_service, terms=terms)
    first, second = (await world.account_of(finance_service, order.order_id))["instalments"]
    path = f"/orders/{order.order_id}/invoices"
    answer = await finance_service.post(path, world.FINANCE, json={"instalment_ids": [second["id"]]})
    assert (answer.status_code, answer.json()["instalment_ids"]) == (201, [second["id"]])
    again = await finance_service.post(path, world.FINANCE, json={"instalment_ids": [first["id"], second["id"]]})
    assert refusal(again) == (409, "instalment-already-invoiced")
    assert refusal(await finance_service.post(path, world.FINANCE, json={"instalment_ids": [str(new_id())]})) == (
        404,
        "instalment-not-found",
    )
    assert (await finance_service.post(path, world.FINANCE, json={"instalment_ids": []})).status_code == 422
    assert (await finance_service.post(path, world.FINANCE, json={"instalments": []})).status_code == 422
    assert (await finance_service.post(path, world.FINANCE)).json()["instalment_ids"] == [first["id"]]
    nothing = await finance_service.post(path, world.FINANCE)
    assert refusal(nothing) == (409, "nothing-due")


async def test_who_read_an_older_version_changes_nothing(finance_service: Running) -> None:
    order = await heard(finance_service)
    shown = await finance_service.get(f"/orders/{order.order_id}/account", world.SALES)
    stale = {"If-Match": shown.headers["ETag"]}
    await finance_service.hear(world.held(order.order_id), world.resumed(order.order_id))
    path = f"/orders/{order.order_id}/invoices"
    assert refusal(await finance_service.post(path, world.FINANCE, headers=stale)) == (412, "precondition-failed")
    assert await finance_service.count("invoices") == 0
    shown = await finance_service.get(f"/orders/{order.order_id}/account", world.SALES)
    issued = await finance_service.post(path, world.FINANCE, headers={"If-Match": shown.headers["ETag"]})
    assert issued.status_code == 201
    body = {"currency": "CNY", "amount": "1", "order_id": str(order.order_id)}
    assert refusal(await finance_service.post("/receipts", world.FINANCE, json=body, headers=stale)) == (
        412,
        "precondition-failed",
    )
    fresh = {"If-Match": issued.headers["ETag"]}
    assert (await finance_service.post("/receipts", world.FINANCE, json=body, headers=fresh)).status_code == 201


async def test_rule_16_one_receipt_pays_invoices_of_several_orders(finance_service: Running) -> None:
    one, two = await heard(finance_service), await heard(finance_service)
    invoices = [await world.issue(finance_service, each.order_id) for each in (one, two)]
    allocations = [{"invoice_id": each["invoice_id"], "amount": "339.00"} for each in invoices]
    body = {"currency": "CNY", "amount": "700.00", "allocations": allocations}
    receipt = await finance_service.post("/receipts", world.FINANCE, json=body)
    assert (receipt.status_code, receipt.json()["unallocated"]) == (201, "22.00")
    told = await finance_service.told("receipt.recorded.v1")
    assert [(each["key"], each["data"]["amount"], each["data"]["unallocated"]) for each in told] == [
        (str(one.order_id), "361.00", "22.00"),
        (str(two.order_id), "339.00", "0.00"),
    ]
    assert {each["data"]["receipt_id"] for each in told} == {receipt.json()["receipt_id"]}
    shown = (await world.account_of(finance_service, two.order_id))["receipts"]
    assert [(each["amount"], each["unallocated"]) for each in shown] == [("339.00", "0.00")]
    (whole,) = (await finance_service.get("/receipts", world.SALES)).json()["items"]
    assert (whole["amount"], len(whole["allocations"])) == ("700.00", 2)
    assert await world.defects(finance_service) == []


async def test_money_without_an_invoice_stays_an_open_credit(finance_service: Running) -> None:
    order = await heard(finance_service)
    body = {"currency": "CNY", "amount": "50", "order_id": str(order.order_id), "received_on": "2026-11-01"}
    receipt = await finance_service.post("/receipts", world.FINANCE_MANAGER, json=body)
    assert (receipt.status_code, receipt.json()["amount"], receipt.json()["unallocated"]) == (201, "50.00", "50.00")
    (told,) = await finance_service.told("receipt.recorded.v1")
    assert (told["data"]["allocations"], told["data"]["unallocated"]) == ([], "50.00")
    (balance,) = (await finance_service.get("/ledger/trial-balance?currency=CNY", world.FINANCE)).json()
    assert {each["account"]: each["balance"] for each in balance["accounts"]} == {
        "bank": "50.00",
        "client_credit": "-50.00",
    }
    before = await finance_service.get("/ledger/trial-balance?until=2026-10-31", world.FINANCE)
    assert before.json() == []
    assert await world.defects(finance_service) == []


async def test_a_receipt_that_cannot_be_is_refused_by_name_and_leaves_nothing(finance_service: Running) -> None:
    order, others = await heard(finance_service), await heard(finance_service, client_id=UUID(int=8))
    invoice, foreign = [await world.issue(finance_service, each.order_id) for each in (order, others)]

    async def refused(amount: str = "339.00", currency: str = "CNY", **allocated: str) -> tuple[int, str]:
        allocations = [{"invoice_id": name, "amount": part} for name, part in allocated.items()]
        body = {"currency": currency, "amount": amount, "allocations": allocations}
        return refusal(await finance_service.post("/receipts", world.FINANCE, json=body))

    ours, theirs = invoice["invoice_id"], foreign["invoice_id"]
    assert await refused(**{ours: "339.01"}) == (409, "more-than-open")
    assert await refused("338.99", **{ours: "339.00"}) == (409, "more-than-received")
    assert await refused("400.00", **{ours: "339.00", theirs: "61.00"}) == (409, "invoice-of-another-client")
    assert await refused(currency="EUR", **{ours: "339.00"}) == (409, "receipt-in-another-currency")
    assert await refused(**{ours: "338.999"}) == (422, "amount-too-fine")
    assert await refused("-1", **{ours: "1"}) == (422, "invalid-request")
    assert await refused("0", **{ours: "1"}) == (422, "invalid-request")
    assert await refused("9" * 60, **{ours: "1"}) == (422, "invalid-request")
    assert await refused(**{str(new_id()): "1"}) == (404, "invoice-not-found")
    assert await refused() == (422, "receipt-of-nobody")
    twice = {"currency": "CNY", "amount": "2", "allocations": [{"invoice_id": ours, "amount": "1"}] * 2}
    assert problems(await finance_service.post("/receipts", world.FINANCE, json=twice)) == ["/allocations"]
    early = {"currency": "CNY", "amount": "1", "order_id": str(order.order_id), "received_on": "2999-01-01"}
    assert problems(await finance_service.post("/receipts", world.FINANCE, json=early)) == ["/received_on"]
    unknown = {"currency": "CNY", "amount": "1", "order_id": str(new_id())}
    assert refusal(await finance_service.post("/receipts", world.FINANCE, json=unknown)) == (404, "account-not-found")
    assert await finance_service.count("receipts") == 0
    assert await world.defects(finance_service) == []


async def test_rule_34_the_same_key_issues_and_receives_once(finance_service: Running) -> None:
    order = await heard(finance_service)
    path, key = f"/orders/{order.order_id}/invoices", {"Idempotency-Key": "k-1"}
    first = await finance_service.post(path, world.FINANCE, headers=key)
    again = await finance_service.post(path, world.FINANCE, headers=key)
    assert (again.status_code, again.content, again.headers["ETag"]) == (201, first.content, first.headers["ETag"])
    assert again.headers["idempotency-replayed"] == "true"
    allocations = [{"invoice_id": first.json()["invoice_id"], "amount": "339.00"}]
    body = {"currency": "CNY", "amount": "339.00", "allocations": allocations}
    key = {"Idempotency-Key": "k-2"}
    receipts = [await finance_service.post("/receipts", world.FINANCE, json=body, headers=key) for _ in range(2)]
    assert receipts[0].json() == receipts[1].json()
    other = await finance_service.post("/receipts", world.FINANCE, json=body | {"amount": "340"}, headers=key)
    assert refusal(other) == (422, "key-used-for-another-request")
    assert (await finance_service.count("receipts"), await finance_service.count("ledger_entries")) == (1, 2)


async def test_rule_33_clients_and_strangers_are_refused_everywhere(finance_service: Running) -> None:
    order = await heard(finance_service)
    body = {"currency": "CNY", "amount": "1", "order_id": str(order.order_id)}
    for path in (f"/orders/{order.order_id}/invoices", "/receipts"):
        assert (await finance_service.post(path, json=body)).status_code == 401
        assert (await finance_service.post(path, world.CLIENT, json=body)).status_code == 403
    for path in (
        f"/orders/{order.order_id}/account",
        "/due-instalments",
        "/invoices",
        f"/invoices/{order.order_id}",
        "/receipts",
        "/ledger/trial-balance",
        "/ledger/entries",
        "/ledger/check",
    ):
        assert (await finance_service.get(path)).status_code == 401
        assert (await finance_service.get(path, world.CLIENT)).status_code == 403


async def test_rule_33_only_finance_writes_and_reads_the_books(finance_service: Running) -> None:
    order = await heard(finance_service)
    body = {"currency": "CNY", "amount": "1", "order_id": str(order.order_id)}
    assert (await finance_service.post(f"/orders/{order.order_id}/invoices", world.SALES)).status_code == 403
    assert (await finance_service.post("/receipts", world.SALES, json=body)).status_code == 403
    for path in ("trial-balance", "entries", "check"):
        assert (await finance_service.get(f"/ledger/{path}", world.SALES)).status_code == 403
    assert (await finance_service.get("/ledger/check", world.FINANCE)).status_code == 403


async def test_what_is_unknown_is_not_found(finance_service: Running) -> None:
    unknown = new_id()
    account = await finance_service.get(f"/orders/{unknown}/account", world.SALES)
    assert refusal(account) == (404, "account-not-found")
    invoices = await finance_service.post(f"/orders/{unknown}/invoices", world.FINANCE)
    assert refusal(invoices) == (404, "account-not-found")
    assert refusal(await finance_service.get(f"/invoices/{unknown}", world.SALES)) == (404, "invoice-not-found")


async def test_lists_are_filtered_and_come_by_cursor(finance_service: Running) -> None:
    orders = [await heard(finance_service, approved_on=dt.date(2026, 11, day)) for day in (5, 4, 3)]
    queue = (await finance_service.get("/due-instalments?limit=2", world.SALES)).json()
    more = (await finance_service.get(f"/due-instalments?cursor={queue['next_cursor']}", world.SALES)).json()
    shown = [each["order_id"] for each in queue["items"] + more["items"]]
    assert shown == [str(each.order_id) for each in reversed(orders)]
    assert queue["items"][0]["client_code"] == "C-0007"
    invoices = [await world.issue(finance_service, each.order_id) for each in orders]
    await world.receive(finance_service, invoices[0])
    numbers = [each["number"] for each in invoices]

    async def listed(query: str) -> list[str]:
        page = (await finance_service.get(f"/invoices{query}", world.SALES)).json()
        return [each["number"] for each in page["items"]]

    assert await listed("") == numbers[::-1]
    assert await listed("?status=open") == numbers[:0:-1]
    assert await listed("?status=paid") == numbers[:1]
    assert await listed(f"?order_id={orders[1].order_id}") == numbers[1:2]
    assert (await finance_service.get("/invoices?status=lost", world.SALES)).status_code == 422
    first = (await finance_service.get("/invoices?limit=1", world.SALES)).json()
    assert await listed(f"?cursor={first['next_cursor']}") == numbers[1::-1]
    by_id = (await finance_service.get(f"/invoices/{invoices[0]['invoice_id']}", world.SALES)).json()
    assert by_id == invoices[0] | {"open_amount": "0.00"}
    of_order = await finance_service.get(f"/ledger/entries?order_id={orders[0].order_id}", world.FINANCE)
    assert [(each["cause"], each["total"]) for each in of_order.json()["items"]] == [
        ("invoice", "339.00"),
        ("receipt", "339.00"),
    ]


async def test_rule_20_what_is_posted_is_never_changed(finance_service: Running) -> None:
    order = await heard(finance_service)
    await world.receive(finance_service, await world.issue(finance_service, order.order_id))
    for table, column in (
        ("invoices", "number"),
        ("receipts", "currency"),
        ("allocations", "amount"),
        ("ledger_entries", "posted_on"),
        ("ledger_lines", "account"),
    ):
        statements = (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE")
        for statement in statements:
            with pytest.raises(DBAPIError, match="never changed"):
                await finance_service.rows(statement)


async def test_rule_20_the_database_refuses_an_entry_out_of_balance(finance_service: Running) -> None:
    order = await heard(finance_service)
    await world.issue(finance_service, order.order_id)
    entry = """
        INSERT INTO ledger_entries (entry_id, order_id, cause, cause_id, posted_on, recorded_at, currency, total)
        SELECT gen_random_uuid(), order_id, 'receipt', cause_id, posted_on, recorded_at, currency, total
        FROM ledger_entries RETURNING 1
    """
    line = "INSERT INTO ledger_lines SELECT entry_id, 9, 'bank', 1, 0 FROM ledger_entries RETURNING 1"
    for statement in (entry, line):
        with pytest.raises(DBAPIError, match="has debits of"):
            await finance_service.rows(statement)


async def test_the_check_names_what_is_wrong(finance_service: Running) -> None:
    order = await heard(finance_service)
    await world.receive(finance_service, await world.issue(finance_service, order.order_id), "100.00")
    await finance_service.rows(
        "UPDATE instalments SET paid_amount = paid_amount + 1 WHERE code = 'advance' RETURNING 1"
    )
    await finance_service.rows("UPDATE instalments SET status = 'paid' WHERE code = 'acceptance' RETURNING 1")
    await finance_service.rows("UPDATE accounts SET net_amount = net_amount + 1, accepted_on = approved_on RETURNING 1")
    await finance_service.rows("UPDATE invoice_series SET last_number = 3 RETURNING 1")
    found = await world.defects(finance_service)
    assert {each["rule"] for each in found} == {
        "instalments are the price of their order",
        "what is paid of an instalment was allocated to it",
        "an instalment's status is what its amounts say",
        "the ledger is what the documents say",
        "invoice numbers have no gap",
    }
    (paid,) = [each for each in found if each["rule"].startswith("what is paid")]
    assert (paid["expected"], paid["found"]) == ("100.00", "101.00")
