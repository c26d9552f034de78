"""What the facts of an order do to its account: once, however often they come."""

import datetime as dt
from uuid import UUID

import finance_world as world

from chassis.clock import start_of
from chassis.timekeeper import Timekeeper
from finance.app import service
from finance.models import Account
from stack import Running


async def fire(finance: Running, now: dt.datetime) -> int:
    keeper = Timekeeper(finance.worker.database, service.consumers, service="finance", root=Account, clock=lambda: now)
    return await keeper.fire_due()


async def types(finance: Running) -> list[str]:
    return [each["type"] for each in await finance.told(topic="orders")]


async def statuses(finance: Running, order_id: UUID) -> dict[str, tuple[str, str | None]]:
    account = await world.account_of(finance, order_id)
    return {each["code"]: (each["status"], each["due_date"]) for each in account["instalments"]}


async def test_the_approval_opens_an_account_with_its_instalments(finance_service: Running) -> None:
    order = world.approved(world.line("1000.00"), world.line("0.05", "0.06"))
    records = await finance_service.hear(order)
    await finance_service.hear_again(records)
    (planned,) = await finance_service.told()
    assert planned["type"] == "instalments.planned.v1"
    assert (planned["data"]["net"], planned["data"]["tax"], planned["data"]["total"]) == (
        "1000.05",
        "130.00",
        "1130.05",
    )
    assert [(i["code"], i["net"], i["tax"], i["status"], i["due_date"]) for i in planned["data"]["instalments"]] == [
        ("advance", "300.02", "39.00", "due", "2026-11-03"),
        ("acceptance", "600.03", "78.00", "planned", None),
        ("retention", "100.00", "13.00", "planned", None),
    ]
    account = await world.account_of(finance_service, order.order_id)
    assert (account["status"], account["version"], account["total"]) == ("open", 2, "1130.05")
    assert await finance_service.count("timers") == 0


async def test_a_second_approval_with_another_id_creates_nothing(finance_service: Running) -> None:
    order = world.approved()
    await finance_service.hear(order)
    await finance_service.hear(order)
    assert await types(finance_service) == ["instalments.planned.v1"]
    assert await finance_service.count("instalments") == 3


async def test_a_milestone_makes_its_instalments_due_once(finance_service: Running) -> None:
    terms = (world.DESIGN, world.ADVANCE.model_copy(update={"percent": 70}))
    order = world.approved(terms=terms)
    await finance_service.hear(order)
    other = world.reached(order.order_id, "tests_passed")
    reached = world.reached(order.order_id, "design_approved", dt.date(2026, 11, 9))
    records = await finance_service.hear(other, reached)
    await finance_service.hear_again(records)
    await finance_service.hear(reached)
    (due,) = await finance_service.told("instalment.due.v1")
    assert (due["data"]["code"], due["data"]["due_date"], due["data"]["because"]) == (
        "design",
        "2026-11-09",
        "milestone",
    )


async def test_the_acceptance_makes_due_what_waited_and_dates_the_rest(finance_service: Running) -> None:
    at_once = world.RETENTION.model_copy(update={"code": "at_once", "days": 0})
    terms = (world.ACCEPTANCE, world.RETENTION, at_once, world.ADVANCE.model_copy(update={"percent": 20}))
    order = world.approved(terms=terms)
    await finance_service.hear(order)
    records = await finance_service.hear(world.accepted(order.order_id))
    await finance_service.hear_again(records)
    await finance_service.hear(world.accepted(order.order_id, dt.date(2026, 12, 1)))
    assert await types(finance_service) == [
        "instalments.planned.v1",
        "instalment.dated.v1",
        "instalment.due.v1",
        "instalment.due.v1",
    ]
    assert await statuses(finance_service, order.order_id) == {
        "acceptance": ("due", "2026-11-20"),
        "retention": ("planned", "2027-11-20"),
        "at_once": ("due", "2026-11-20"),
        "advance": ("due", "2026-11-03"),
    }
    assert await world.defects(finance_service) == []


async def test_a_date_timer_fires_at_the_start_of_its_day_in_the_company_zone(finance_service: Running) -> None:
    order = world.approved(terms=(world.on_date(dt.date(2027, 1, 15)),))
    await finance_service.hear(order)
    midnight = start_of(dt.date(2027, 1, 15), finance_service.settings.company_zone)
    assert midnight.isoformat() == "2027-01-14T16:00:00+00:00"
    assert await fire(finance_service, midnight - dt.timedelta(seconds=1)) == 0
    assert await fire(finance_service, midnight) == 1
    assert await fire(finance_service, midnight) == 0
    (due,) = await finance_service.told("instalment.due.v1")
    assert (due["data"]["due_date"], due["data"]["because"]) == ("2027-01-15", "date")


async def test_a_date_that_is_not_after_the_approval_is_planned_as_due(finance_service: Running) -> None:
    past, today = dt.date(2026, 1, 1), world.APPROVED_ON
    order = world.approved(
        terms=(world.on_date(past, code="past", percent=40), world.on_date(today, code="today", percent=60))
    )
    await finance_service.hear(order)
    assert await statuses(finance_service, order.order_id) == {
        "past": ("due", "2026-01-01"),
        "today": ("due", "2026-11-03"),
    }
    assert await types(finance_service) == ["instalments.planned.v1"]
    assert await finance_service.count("timers") == 0


async def test_rule_02_a_free_order_is_settled_by_falling_due_alone(finance_service: Running) -> None:
    order = world.approved(world.line("0.00"))
    await finance_service.hear(order)
    assert await types(finance_service) == ["instalments.planned.v1", "instalment.paid.v1"]
    await finance_service.hear(world.accepted(order.order_id))
    await fire(finance_service, dt.datetime(2028, 1, 1, tzinfo=dt.UTC))
    assert (await types(finance_service))[2:] == [
        "instalment.dated.v1",
        "instalment.paid.v1",
        "instalment.paid.v1",
        "account.settled.v1",
    ]
    account = await world.account_of(finance_service, order.order_id)
    assert (account["status"], account["settled_on"]) == ("settled", "2027-11-20")
    assert await finance_service.count("ledger_entries") == 0
    assert await world.defects(finance_service) == []


async def test_a_free_order_due_on_approval_is_settled_at_once(finance_service: Running) -> None:
    records = await finance_service.hear(
        world.approved(world.line("0.00"), terms=(world.ADVANCE.model_copy(update={"percent": 100}),))
    )
    await finance_service.hear_again(records)
    told = await finance_service.told()
    assert [each["type"] for each in told] == ["instalments.planned.v1", "instalment.paid.v1", "account.settled.v1"]
    assert told[0]["data"]["instalments"][0]["status"] == "paid"
    assert told[2]["data"]["settled_on"] == "2026-11-03"


async def test_a_held_order_is_not_invoiced_until_it_is_resumed_yet_falls_due(finance_service: Running) -> None:
    order = world.approved()
    await finance_service.hear(order)
    records = await finance_service.hear(world.held(order.order_id))
    await finance_service.hear_again(records)
    path = f"/orders/{order.order_id}/invoices"
    refused = await finance_service.post(path, world.FINANCE)
    assert (refused.status_code, refused.json()["type"]) == (409, "account-on-hold")
    assert (await world.account_of(finance_service, order.order_id))["status"] == "on_hold"
    assert (await finance_service.get("/due-instalments", world.FINANCE)).json()["items"] == []
    await finance_service.hear(world.accepted(order.order_id))
    assert (await statuses(finance_service, order.order_id))["acceptance"][0] == "due"
    records = await finance_service.hear(world.resumed(order.order_id))
    await finance_service.hear_again(records)
    assert (await finance_service.post(path, world.FINANCE)).json()["total"] == "1017.00"


async def test_a_cancelled_order_keeps_its_invoices_and_loses_the_rest(finance_service: Running) -> None:
    order = world.approved(terms=(world.ADVANCE, world.on_date(dt.date(2027, 1, 15), percent=60), world.RETENTION))
    await finance_service.hear(order)
    invoice = await world.issue(finance_service, order.order_id)
    records = await finance_service.hear(world.cancelled(order.order_id))
    await finance_service.hear_again(records)
    await finance_service.hear(world.cancelled(order.order_id))
    (told,) = await finance_service.told("instalments.cancelled.v1")
    account = await world.account_of(finance_service, order.order_id)
    assert told["data"]["cancelled"] == [each["id"] for each in account["instalments"][1:]]
    assert told["data"]["kept_invoices"] == [invoice["number"]]
    assert [each["status"] for each in account["instalments"]] == ["invoiced", "cancelled", "cancelled"]
    assert account["status"] == "cancelled"
    assert await finance_service.count("timers") == 0
    refused = await finance_service.post(f"/orders/{order.order_id}/invoices", world.FINANCE)
    assert (refused.status_code, refused.json()["type"]) == (409, "account-cancelled")
    await world.receive(finance_service, invoice)
    assert await finance_service.told("account.settled.v1") == []
    assert await world.defects(finance_service) == []


async def test_facts_after_the_cancellation_change_nothing(finance_service: Running) -> None:
    terms = (world.DESIGN, world.ACCEPTANCE.model_copy(update={"percent": 70}))
    order = world.approved(terms=terms)
    await finance_service.hear(order)
    await finance_service.hear(world.cancelled(order.order_id))
    before = await finance_service.told()
    await finance_service.hear(world.reached(order.order_id, "design_approved"), world.accepted(order.order_id))
    assert await finance_service.told() == before
    assert await finance_service.count("ledger_entries") == 0


async def test_facts_about_an_order_that_was_never_approved_are_passed_over(finance_service: Running) -> None:
    order_id = UUID(int=1)
    await finance_service.hear(
        world.reached(order_id, "accepted"),
        world.accepted(order_id),
        world.held(order_id),
        world.resumed(order_id),
        world.cancelled(order_id),
    )
    assert await finance_service.told() == []
    assert await finance_service.count("parked_keys") == 0


async def test_rule_39_a_whole_life_in_one_batch_is_as_one_by_one(finance_service: Running) -> None:
    whole, single = world.approved(), world.approved()
    await finance_service.hear(
        whole, world.held(whole.order_id), world.resumed(whole.order_id), world.accepted(whole.order_id)
    )
    for fact in (single, world.held(single.order_id), world.resumed(single.order_id), world.accepted(single.order_id)):
        await finance_service.hear(fact)
    one, other = [await world.account_of(finance_service, each.order_id) for each in (whole, single)]
    for account in (one, other):
        for name in ("account_id", "order_id", "version"):
            account.pop(name)
        for each in account["instalments"]:
            each.pop("id")
    assert one == other
    told = await finance_service.told()
    assert [e["type"] for e in told if e["key"] == str(whole.order_id)] == [
        e["type"] for e in told if e["key"] == str(single.order_id)
    ]
    assert await world.defects(finance_service) == []


async def test_an_approval_and_a_cancellation_in_one_batch_leave_a_timer_that_does_nothing(
    finance_service: Running,
) -> None:
    order = world.approved(terms=(world.on_date(dt.date(2027, 1, 15)),))
    await finance_service.hear(order, world.cancelled(order.order_id))
    await fire(finance_service, dt.datetime(2028, 1, 1, tzinfo=dt.UTC))
    assert await types(finance_service) == ["instalments.planned.v1", "instalments.cancelled.v1"]
    assert (await statuses(finance_service, order.order_id))["dated"][0] == "cancelled"


async def test_an_order_that_does_not_add_up_is_parked_not_booked(finance_service: Running) -> None:
    order = world.approved()
    await finance_service.hear(order.model_copy(update={"net": order.net + 1}))
    (parked,) = await finance_service.rows("SELECT key, reason FROM parked_keys")
    assert parked["key"] == str(order.order_id)
    assert "OrderDoesNotAddUp" in parked["reason"]
    assert await finance_service.count("accounts") == 0
