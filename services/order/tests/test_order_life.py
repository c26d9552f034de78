"""An approved order: its stages, hold and cancel, the client's acceptance, and its close."""

import asyncio
import json
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.ids import new_id
from contracts.finance import AccountSettled, InvoiceIssued
from facts import DAY, delivery_submitted, inspection_recorded, project_created, task, task_finished
from order_world import MANAGER, ORDER, SALES, ready
from stack import Running, Who


async def approved(order_service: Running, **changes: Any) -> UUID:
    await ready(order_service)
    placed = await order_service.post("/orders", SALES, json=ORDER | changes)
    order_id = placed.json()["order_id"]
    answer = await order_service.post(f"/orders/{order_id}/approval", MANAGER, json={})
    assert answer.status_code == 200, answer.text
    return UUID(order_id)


async def client_of(order_service: Running, order_id: UUID) -> Who:
    client = (await shown(order_service, order_id))["client"]
    return Who("zhou", ("client",), "client", UUID(client["id"]))


async def shown(order_service: Running, order_id: UUID) -> Any:
    return (await order_service.get(f"/orders/{order_id}", SALES)).json()


async def delivered(order_service: Running) -> UUID:
    order_id = await approved(order_service)
    work = task("client_sign_off")
    await order_service.hear(
        project_created(order_id, work), task_finished(order_id, work), delivery_submitted(order_id)
    )
    return order_id


async def test_stages_advance_by_themselves_and_name_what_is_missing(order_service: Running) -> None:
    order_id = await approved(order_service)
    review, make, check = (
        task("technical_review"),
        task("production_scheduling"),
        task("inspection_stock_in", inspection=True),
    )
    await order_service.hear(project_created(order_id, review, make, check))
    assert (await shown(order_service, order_id))["waiting_for"] == ["stage_tasks_finished"]
    records = await order_service.hear(task_finished(order_id, make), task_finished(order_id, review))
    after_both = await shown(order_service, order_id)
    assert (after_both["stage"], after_both["waiting_for"]) == (
        "inspection_stock_in",
        ["stage_tasks_finished", "inspection.passed"],
    )
    await order_service.hear_again(records)
    await order_service.hear(task_finished(order_id, check), inspection_recorded(order_id, check, "failed"))
    assert (await shown(order_service, order_id))["waiting_for"] == ["inspection.passed"]
    await order_service.hear(inspection_recorded(order_id, check, "passed"), delivery_submitted(order_id))
    last = await shown(order_service, order_id)
    assert (last["stage"], last["waiting_for"]) == ("client_sign_off", ["delivery.accepted"])
    steps = [each["data"]["to"] for each in await order_service.told("order.stage_advanced.v1")]
    assert steps == ["technical_review", "production_scheduling", "inspection_stock_in", "client_sign_off"]
    advanced = (await order_service.told("order.stage_advanced.v1"))[1]
    assert advanced["data"]["because"] == [dict(records[1].headers)["ce_id"].decode()]


async def test_only_the_client_of_the_order_signs_off_and_only_what_was_handed_over(order_service: Running) -> None:
    order_id = await approved(order_service)
    path, client = f"/orders/{order_id}/acceptance", await client_of(order_service, order_id)
    early = await order_service.post(path, client, json={})
    assert (early.status_code, early.json()["type"]) == (409, "delivery-not-submitted")
    await order_service.hear(delivery_submitted(order_id))
    stranger = Who("sun", ("client",), "client", new_id())
    assert (await order_service.post(path, stranger, json={})).status_code == 404
    assert (await order_service.post(path, MANAGER, json={})).status_code == 403
    accepted = await order_service.post(path, client, json={"note": "fine"})
    assert (accepted.status_code, accepted.json()["status"]) == (200, "delivered")
    assert (await order_service.post(path, client, json={})).status_code == 409
    assert len(await order_service.told("delivery.accepted.v1")) == 1


async def test_an_order_closes_when_it_is_accepted_and_settled_whichever_comes_last(order_service: Running) -> None:
    order_id = await delivered(order_service)
    client = await client_of(order_service, order_id)
    settled = AccountSettled(order_id=order_id, settled_on=DAY, currency="CNY", total="1.00")
    records = await order_service.hear(settled)
    assert (await shown(order_service, order_id))["status"] == "approved"
    await order_service.post(f"/orders/{order_id}/acceptance", client, json={})
    assert (await shown(order_service, order_id))["status"] == "closed"
    await order_service.hear_again(records)
    told = [each["type"] for each in await order_service.told(topic="orders")]
    assert told[-2:] == ["delivery.accepted.v1", "order.closed.v1"]


async def test_hold_stops_and_resume_lets_it_go_on(order_service: Running) -> None:
    order_id = await approved(order_service)
    path = f"/orders/{order_id}"
    assert (await order_service.post(f"{path}/hold", SALES, json={"reason": "x"})).status_code == 403
    assert (await order_service.post(f"{path}/hold", MANAGER, json={})).status_code == 422
    assert (await order_service.post(f"{path}/hold", MANAGER, json={"reason": "x"})).json()["status"] == "on_hold"
    assert (await order_service.post(f"{path}/hold", MANAGER, json={"reason": "x"})).status_code == 409
    assert (await order_service.post(f"{path}/resumption", MANAGER, json={})).json()["status"] == "approved"
    assert (await order_service.post(f"{path}/resumption", MANAGER, json={})).status_code == 409


async def test_cancelling_is_refused_once_an_invoice_is_known_and_nothing_closes_it_later(
    order_service: Running,
) -> None:
    with_invoice, without = await approved(order_service), await approved(order_service, external_id="E-2")
    invoice = InvoiceIssued(
        order_id=with_invoice,
        invoice_id=new_id(),
        number="INV-2026-00001",
        instalment_ids=(),
        currency="CNY",
        net="1.00",
        tax="0.13",
        total="1.13",
        by_rate=(),
        issued_on=DAY,
        payable_by=DAY,
    )
    await order_service.hear_again(await order_service.hear(invoice))
    refused = await order_service.post(f"/orders/{with_invoice}/cancellation", MANAGER, json={"reason": "x"})
    assert (refused.status_code, refused.json()["type"]) == (409, "order-not-cancellable")
    await order_service.post(f"/orders/{without}/cancellation", MANAGER, json={"reason": "x"})
    settled = AccountSettled(order_id=without, settled_on=DAY, currency="CNY", total="1.00")
    work = task("technical_review")
    await order_service.hear(settled, project_created(without, work), task_finished(without, work))
    cancelled = await shown(order_service, without)
    assert (cancelled["status"], cancelled["stage"]) == ("cancelled", "technical_review")
    assert await order_service.count("parked_keys") == 0


async def test_two_people_who_decide_at_once_give_one_outcome(order_service: Running) -> None:
    await ready(order_service)
    order_id = (await order_service.post("/orders", SALES, json=ORDER)).json()["order_id"]
    others = [Who(f"manager-{number}", ("sales_manager",)) for number in range(4)]
    approvals = [order_service.post(f"/orders/{order_id}/approval", who, json={"step": 1}) for who in others[:2]]
    rejections = [
        order_service.post(f"/orders/{order_id}/rejection", who, json={"reason": "x", "step": 1}) for who in others[2:]
    ]
    answers = await asyncio.gather(*approvals, *rejections)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert len(await order_service.told("approval.decided.v1")) == 1


async def test_a_large_order_takes_every_rung_in_order_and_one_without_a_rate_takes_all(order_service: Running) -> None:
    await ready(order_service)
    large = ORDER | {"lines": [ORDER["lines"][0] | {"quantity": "100000"}]}
    order_id = (await order_service.post("/orders", SALES, json=large)).json()["order_id"]
    path = f"/orders/{order_id}/approval"
    boss = Who("boss", ("general_manager",))
    assert (await order_service.post(path, boss, json={})).status_code == 403  # not their turn
    for who in (MANAGER, Who("fm", ("finance_manager",)), boss):
        answer = await order_service.post(path, who, json={})
    assert answer.json()["status"] == "approved"
    without_rate = ORDER | {"external_id": "E-3", "currency": "CHF", "lines": [ORDER["lines"][0] | {"quantity": "1"}]}
    preview = (await order_service.post("/orders/preview", SALES, json=without_rate)).json()
    assert [step["role"] for step in preview["approval_steps"]] == [
        "sales_manager",
        "finance_manager",
        "general_manager",
    ]


async def test_what_an_order_comes_to_is_known_before_its_fields_are_written(order_service: Running) -> None:
    await ready(order_service)
    unfinished = ORDER | {"fields": {"surface": "no such surface"}}
    assert (await order_service.post("/orders/preview", SALES, json=unfinished)).status_code == 422
    preview = await order_service.post("/orders/preview?complete=false", SALES, json=unfinished)
    whole = await order_service.post("/orders/preview", SALES, json=ORDER)
    assert (preview.status_code, preview.json()["total"]) == (200, whole.json()["total"])
    wrong_line = unfinished | {"lines": [ORDER["lines"][0] | {"quantity": "0"}]}
    assert (await order_service.post("/orders/preview?complete=false", SALES, json=wrong_line)).status_code == 422


async def test_the_thread_proves_that_nobody_changed_it(order_service: Running) -> None:
    order_id = await approved(order_service)
    records = await order_service.hear(delivery_submitted(order_id), project_created(order_id))
    await order_service.hear_again(records)
    path = f"/orders/{order_id}/thread"
    entries = (await order_service.get(path, SALES)).json()["items"]
    assert [entry["position"] for entry in entries] == [1, 2]

    async def broken() -> Any:
        return (await order_service.get(f"{path}/verification", SALES)).json()["first_broken"]

    assert await broken() is None
    await change(order_service, "UPDATE thread SET actor = 'user:y' WHERE position = 2")
    assert await broken() == 2
    await change(order_service, "DELETE FROM thread WHERE position = 2")
    assert await broken() == 2


async def change(order_service: Running, statement: str) -> None:
    async with order_service.database.transaction() as session:
        await session.execute(text(statement))


async def test_a_file_is_taken_line_by_line(order_service: Running) -> None:
    await ready(order_service)
    good, other = json.dumps(ORDER), json.dumps(ORDER | {"title": "Another"})
    lines = [b"\xef\xbb\xbf" + good.encode() + b"\r", b" \t", b"nonsense", good.encode(), other.encode(), b""]
    answer = await order_service.post("/orders/import", SALES, content=b"\n".join(lines))
    results = answer.json()["results"]
    assert [(each["line"], each["outcome"]) for each in results] == [
        (1, "accepted"),
        (3, "rejected"),
        (4, "unchanged"),
        (5, "rejected"),
    ]
    assert [error["field"] for error in results[1]["errors"]] == [""]
    assert (results[3]["external_id"], results[3]["errors"][0]["field"]) == ("ERP-7001", "/external_id")
    too_many = await order_service.post("/orders/import", SALES, content=b"{}\n" * 101)
    assert too_many.status_code == 413


async def test_a_system_edits_and_places_no_draft_but_its_own(order_service: Running) -> None:
    await ready(order_service)
    erp, crm = (Who(system, ("orders:write",), "integration") for system in ("erp", "crm"))
    draft = ORDER | {"draft": True}
    for writer, strangers in ((SALES, (erp, crm)), (erp, (crm,))):
        path = f"/orders/{(await order_service.post('/orders', writer, json=draft)).json()['order_id']}"
        for stranger in strangers:
            edited = await order_service.put(path, stranger, json=ORDER | {"title": "theirs"})
            assert (edited.status_code, edited.json()["type"]) == (404, "order-not-found")
            assert (await order_service.post(f"{path}/placement", stranger)).status_code == 404
        assert (await order_service.put(path, writer, json=ORDER | {"title": "mine"})).json()["title"] == "mine"
        assert (await order_service.post(f"{path}/placement", writer)).json()["status"] == "submitted"


async def test_a_client_cannot_tell_another_companys_order_from_none(order_service: Running) -> None:
    order_id, stranger = await approved(order_service), Who("sun", ("client",), "client", new_id())
    other = await order_service.post(f"/orders/{order_id}/acceptance", stranger, json={})
    none = await order_service.post(f"/orders/{(nothing := new_id())}/acceptance", stranger, json={})
    assert other.text.replace(str(order_id), "") == none.text.replace(str(nothing), "")


async def test_who_places_an_order_again_may_not_approve_it(order_service: Running) -> None:
    """Else one person alone could edit what another wrote, submit it, and approve it."""
    await ready(order_service)
    order_id = (await order_service.post("/orders", SALES, json=ORDER)).json()["order_id"]
    path = f"/orders/{order_id}"
    await order_service.post(f"{path}/rejection", MANAGER, json={"reason": "too cheap"})
    await order_service.post(f"{path}/placement", MANAGER)
    own = await order_service.post(f"{path}/approval", MANAGER, json={})
    assert (own.status_code, own.json()["type"]) == (403, "requester-may-not-approve")
    other = await order_service.post(f"{path}/approval", Who("another", ("sales_manager",)), json={})
    assert other.status_code == 200
