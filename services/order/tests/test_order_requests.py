"""An ERP asks on the bus: every message gets one answer (rule 38)."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from sqlalchemy import func, select

from chassis.clock import utc_now
from chassis.ids import new_id
from contracts import topics
from order import operations
from order.models import InboundRequest
from order_world import MANAGER, ORDER, SALES, ready
from stack import Running, Who

SOURCE = "erp.example"


def request(
    order_service: Running, body: Any, *, key: Any = b"K-1", request_id: str | None = None, **envelope: Any
) -> ConsumerRecord:
    headers = {
        "ce_specversion": "1.0",
        "ce_id": request_id or str(new_id()),
        "ce_type": "erp.order.requested.v1",
        "ce_source": SOURCE,
        "content-type": "application/json",
    } | envelope
    value = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return order_service.raw_record(topics.INBOUND, key, value, {n: v for n, v in headers.items() if v})


async def answers(order_service: Running) -> list[dict[str, Any]]:
    return await order_service.told(topic=topics.OUTBOUND)


async def test_rule_38_a_request_is_placed_and_accepted_and_a_redelivery_adds_no_answer(order_service: Running) -> None:
    await ready(order_service)
    record = request(order_service, ORDER, request_id="req-1")
    await order_service.hear_again([record, record])
    await order_service.hear_again([record])
    (answer,) = await answers(order_service)
    assert (answer["type"], answer["key"]) == ("erp.order.accepted.v1", "K-1")
    assert (answer["headers"]["ce_causationid"], answer["headers"]["ce_recipient"]) == ("req-1", SOURCE)
    (placed,) = await order_service.told("order.placed.v1")
    assert placed["data"]["requester"] == f"integration:{SOURCE}"
    assert placed["data"]["external"] == {"source": SOURCE, "id": "ERP-7001"}
    assert placed["headers"]["ce_actor"] == f"integration:{SOURCE}"


async def test_rule_38_an_equal_body_under_a_new_id_is_accepted_with_the_same_ids(order_service: Running) -> None:
    await ready(order_service)
    await order_service.hear_again([request(order_service, ORDER)])
    await order_service.hear_again([request(order_service, dict(reversed(ORDER.items())))])
    await order_service.hear_again([request(order_service, ORDER | {"title": "Another"})])
    first, second, third = await answers(order_service)
    assert first["data"] == second["data"]
    assert third["type"] == "erp.order.rejected.v1"
    assert [error["field"] for error in third["data"]["errors"]] == ["/external_id"]
    assert await order_service.count("orders") == 1


async def test_a_wrong_order_is_rejected_with_every_error_and_does_not_take_its_id(order_service: Running) -> None:
    await ready(order_service)
    wrong = ORDER | {"currency": "XXX", "draft": True, "fields": {"material": "x"}}
    await order_service.hear_again([request(order_service, wrong)])
    await order_service.hear_again([request(order_service, ORDER)])
    rejected, accepted = await answers(order_service)
    assert rejected["data"]["external_id"] == "ERP-7001"
    assert {error["field"] for error in rejected["data"]["errors"]} == {"/currency", "/draft", "/fields/drawing_no"}
    assert accepted["type"] == "erp.order.accepted.v1"


@pytest.mark.parametrize("body", [b"not json", b"[]", b"\xff\xfe", b"null", b" " * (1024 * 1024 + 1)])
async def test_what_is_no_order_is_answered_and_kept(order_service: Running, body: bytes) -> None:
    await ready(order_service)
    await order_service.hear_again([request(order_service, body)])
    (answer,) = await answers(order_service)
    assert answer["data"]["errors"][0]["field"] == ""
    if body not in (b"[]", b"null"):
        assert len(await order_service.told(topic=topics.dead_letters("order"))) == 1


async def test_a_structured_message_is_read_as_well(order_service: Running) -> None:
    await ready(order_service)
    event = {"specversion": "1.0", "id": "s-1", "source": SOURCE, "type": "erp.order.requested.v1", "data": ORDER}
    encoded = base64.b64encode(json.dumps(ORDER | {"external_id": "E-2"}).encode()).decode()
    base64_event = {**event, "id": "s-2", "data_base64": encoded}
    for each in (event, base64_event):
        record = order_service.raw_record(
            topics.INBOUND,
            None,
            json.dumps(each).encode(),
            {"content-type": "application/cloudevents+json; charset=UTF-8"},
        )
        await order_service.hear_again([record])
    told = await answers(order_service)
    assert [each["type"] for each in told] == ["erp.order.accepted.v1"] * 2
    assert [each["key"] for each in told] == ["s-1", "s-2"]  # it had no key of its own


async def test_what_nobody_can_be_told_of_is_kept_and_answered_to_nobody(order_service: Running) -> None:
    await ready(order_service)
    envelopes: list[dict[str, Any]] = [
        {"ce_id": ""},
        {"ce_source": ""},
        {"ce_source": "finance"},
        {"ce_source": "a\nb"},
    ]
    for envelope in envelopes:
        await order_service.hear_again([request(order_service, ORDER, **envelope)])
    assert await answers(order_service) == []
    assert len(await order_service.told(topic=topics.dead_letters("order"))) == 4
    assert await order_service.count("parked_keys") == 0


async def test_a_message_of_an_unknown_type_is_answered(order_service: Running) -> None:
    await ready(order_service)
    await order_service.hear_again([request(order_service, ORDER, ce_type="erp.order.changed.v1")])
    (answer,) = await answers(order_service)
    assert answer["type"] == "erp.order.rejected.v1"


async def test_the_erp_follows_its_order_and_nobody_elses(order_service: Running) -> None:
    await ready(order_service)
    await order_service.post("/orders", SALES, json=ORDER | {"external_id": "ours"})
    await order_service.hear_again([request(order_service, ORDER)])
    order_id = (await answers(order_service))[0]["data"]["order_id"]
    await order_service.post(f"/orders/{order_id}/approval", MANAGER, json={})
    await order_service.post(f"/orders/{order_id}/hold", MANAGER, json={"reason": "waits"})
    progress = [each["data"] for each in await answers(order_service)][1:]
    assert [(each["event_type"], each["status"], each["stage"]) for each in progress] == [
        ("order.approved.v1", "approved", "created"),
        ("order.stage_advanced.v1", "approved", "technical_review"),
        ("order.held.v1", "on_hold", "technical_review"),
    ]


OPERATOR = Who("op", ("operator",))


async def test_what_was_rejected_is_listed_with_its_reasons_the_newest_first_page_by_page(
    order_service: Running,
) -> None:
    await ready(order_service)
    wrong = [ORDER | {"external_id": f"ERP-{number}", "currency": "?"} for number in range(3)]
    for number, body in enumerate(wrong):
        record = request(order_service, body, request_id=f"req-{number}")
        await order_service.hear_again([record, record])
    await order_service.hear_again([request(order_service, ORDER), request(order_service, b"no json", ce_source="b")])
    first = (await order_service.get("/admin/rejected-requests?limit=2", OPERATOR)).json()
    assert [(each["source"], each["external_id"]) for each in first["items"]] == [("b", None), (SOURCE, "ERP-2")]
    assert [each["field"] for each in first["items"][1]["errors"]] == ["/currency"]
    assert first["items"][1]["errors_total"] == 1
    rest = await order_service.get(f"/admin/rejected-requests?limit=2&cursor={first['next_cursor']}", OPERATOR)
    assert [each["request_id"] for each in rest.json()["items"]] == ["req-1", "req-0"]
    assert rest.json()["next_cursor"] is None
    one_system = await order_service.get("/admin/rejected-requests?source=b", OPERATOR)
    assert [each["source"] for each in one_system.json()["items"]] == ["b"]


async def test_a_rejected_request_is_kept_for_ninety_days_and_an_accepted_one_for_ever(order_service: Running) -> None:
    await ready(order_service)
    wrong = ORDER | {"external_id": "ERP-X", "currency": "?"}
    await order_service.hear_again([request(order_service, wrong), request(order_service, ORDER)])

    async def listed_after(days: int) -> int:
        async with order_service.database.transaction() as session:
            assert not await operations.drop_old_rejections(session, now=utc_now() + timedelta(days=days))
            accepted = select(func.count()).where(InboundRequest.order_id.is_not(None))
            assert await session.scalar(accepted) == 1
        return len((await order_service.get("/admin/rejected-requests", OPERATOR)).json()["items"])

    assert [await listed_after(89), await listed_after(91)] == [1, 0]


async def test_of_many_and_long_reasons_the_first_are_kept_and_all_are_counted(order_service: Running) -> None:
    await ready(order_service)
    lines = [{"item": "x" * 1_000} for _ in range(60)]
    await order_service.hear_again([request(order_service, ORDER | {"external_id": "E" * 9_000, "lines": lines})])
    (found,) = (await order_service.get("/admin/rejected-requests", OPERATOR)).json()["items"]
    (answer,) = await answers(order_service)
    assert found["errors_total"] == len(answer["data"]["errors"]) > 60
    assert len(found["errors"]) == 50
    assert len(found["external_id"]) == 500


async def test_what_systems_asked_for_in_vain_is_shown_to_those_alone_who_mend_it(order_service: Running) -> None:
    for who in (SALES, MANAGER, Who(SOURCE, ("orders:read", "orders:write"), "integration")):
        assert (await order_service.get("/admin/rejected-requests", who)).status_code == 403
    assert (await order_service.get("/admin/rejected-requests")).status_code == 401
