"""The read model's API: for clients what is theirs, for the company everything and what waits for them."""

import json
from typing import Any

import pytest
from gateway_world import (
    ADMINISTRATOR,
    CLIENT,
    COMPANY,
    DIRECTORY,
    END,
    FINANCE_MANAGER,
    LIFE,
    ORDER,
    PLANNER,
    SALES,
    SALES_MANAGER,
    STRANGER,
    UNTIL_PLANNED,
    WORK,
    example,
    placed,
    texts_in,
)

from contracts.order import ApprovalDecided, ApprovalStep, OrderCancelled, OrderHeld, OrderPlaced, OrderRejected
from contracts.project import TaskBlocked, TaskReassigned, TimeLogged
from stack import Running, Who

OTHER_COMPANY = COMPANY.model_copy(update={"id": STRANGER.client_id, "code": "C-0099", "name": "Other Works"})
ENGINEER = Who("01a05a7a-f250-7097-918f-e48abd451685", ("engineer",))
"""Who has two tasks in the example."""
SECRETS = [
    example(OrderHeld).reason,
    example(OrderCancelled).reason,
    example(OrderRejected).reason,
    example(ApprovalDecided).comment,
    example(TaskBlocked).reason,
    example(TaskReassigned).reason,
    "李敏",
    "王强",
    "process_plan",
    "QA-2026-0318",
]
"""Of the inside: reasons, comments, people, tasks and versions that are not disclosed."""
HOURS = str(example(TimeLogged).hours)
"""Logged by someone of the company. Too short to be looked for inside other texts: a moment may hold it."""


async def items(gateway: Running, path: str, who: Who) -> list[dict[str, Any]]:
    answer = await gateway.get(path, who)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["items"]
    return rows


async def test_rule_33_a_client_lists_their_companys_orders_and_no_other(gateway: Running) -> None:
    other = placed(1, client=OTHER_COMPANY)
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED, other)
    assert [order["order_id"] for order in await items(gateway, "/portal/orders", CLIENT)] == [str(ORDER)]
    assert [order["order_id"] for order in await items(gateway, "/portal/orders", STRANGER)] == [str(other.order_id)]
    assert await items(gateway, "/portal/orders?search=brackets", STRANGER) != []
    assert await items(gateway, "/portal/orders?search=ORD-000042", STRANGER) == []
    assert await items(gateway, "/portal/orders?status=submitted", CLIENT) == []


async def test_rule_33_another_companys_order_is_not_there(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED)
    for path in (f"/portal/orders/{ORDER}", f"/portal/orders/{ORDER}/timeline", f"/orders/{ORDER}"):
        refused = await gateway.get(path, STRANGER)
        assert refused.status_code == 404, path
        assert "120" not in refused.text
        assert (await gateway.get(path, CLIENT)).status_code == 200, path


async def test_rule_33_nothing_of_the_inside_reaches_a_client(gateway: Running) -> None:
    inside = (example(OrderRejected), example(OrderPlaced))
    await gateway.hear(*DIRECTORY, example(OrderPlaced), *inside, *UNTIL_PLANNED[1:], *WORK, example(OrderCancelled))
    order = await gateway.get(f"/portal/orders/{ORDER}", CLIENT)
    timeline = await gateway.get(f"/portal/orders/{ORDER}/timeline?limit=200", CLIENT)
    page = await gateway.get(f"/orders/{ORDER}", CLIENT)
    shown = set(texts_in([order.json(), timeline.json()]))
    for secret in SECRETS:
        assert not any(str(secret) in text for text in shown), secret
        assert str(secret) not in page.text, secret
    assert HOURS not in shown
    assert not any(text.startswith(("user:", "system:", "integration:")) for text in shown)
    whole = await gateway.get(f"/work/orders/{ORDER}/timeline?limit=200", SALES)
    assert all(json.dumps(secret, ensure_ascii=False)[1:-1] in whole.text for secret in SECRETS[:6])


async def test_rule_33_clients_and_nobody_are_refused_where_the_company_works(gateway_read_only: Running) -> None:
    paths = ("orders", f"orders/{ORDER}", f"orders/{ORDER}/timeline", "approvals", "board", "tasks")
    for path in paths:
        assert (await gateway_read_only.get(f"/work/{path}", CLIENT)).status_code == 403, path
        assert (await gateway_read_only.get(f"/work/{path}")).status_code == 401, path
    for path in ("", f"/{ORDER}", f"/{ORDER}/timeline"):
        assert (await gateway_read_only.get(f"/portal/orders{path}", SALES)).status_code == 403, path
        assert (await gateway_read_only.get(f"/portal/orders{path}")).status_code == 401, path


async def test_a_client_sees_their_order_and_what_waits_on_them(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED, *WORK)
    answer = await gateway.get(f"/portal/orders/{ORDER}", CLIENT)
    order = answer.json()
    assert (order["order_no"], order["total"], order["contact"]) == ("ORD-000042", "11332.11", "吴涛")
    assert order["stage_name"] == {"zh": "技术评审", "en": "Technical review"}
    assert [stage["state"] for stage in order["stages"]] == ["done", "now", "next", "next", "next"]
    assert [each["amount"] for each in order["instalments"]] == ["3399.63", "6799.27", "1133.21"]
    assert [(each["number"], each["total"], each["paid"]) for each in order["invoices"]] == [
        ("INV-2026-00031", "3399.63", "3399.63")
    ]
    assert order["waiting_on_you"] == {"sign_off": False}
    await gateway.hear(END[0])
    later = await gateway.get(f"/portal/orders/{ORDER}", CLIENT)
    assert later.json()["waiting_on_you"] == {"sign_off": True}
    assert later.headers["ETag"] != answer.headers["ETag"]


async def test_the_company_sees_everything_of_an_order(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *LIFE)
    order = (await gateway.get(f"/work/orders/{ORDER}", SALES)).json()
    assert (order["status"], order["requester"], order["external_id"]) == (
        "closed",
        "integration:yonyou-u9",
        "SO-2026-1187",
    )
    assert [decision["role"] for decision in order["decisions"]] == ["sales_manager", "finance_manager"]
    assert [(task["status"], task["assignee_name"]) for task in order["tasks"]][3] == ("finished", "赵磊")
    assert order["receipts"][0]["unallocated"] == "0.37"
    assert order["fields"]["surface"] == "阳极氧化 anodised"
    first = (await gateway.get(f"/work/orders/{ORDER}/timeline?limit=20", SALES)).json()
    rest = (await gateway.get(f"/work/orders/{ORDER}/timeline?limit=20&cursor={first['next_cursor']}", SALES)).json()
    entries = first["items"] + rest["items"]
    assert [entry["type"] for entry in entries] == [event.type for event in LIFE]
    assert entries[0]["data"]["title"] == order["title"]
    assert (await gateway.get(f"/work/orders/{CLIENT.client_id}", SALES)).status_code == 404


async def test_the_list_is_filtered_searched_and_cut(gateway: Running) -> None:
    orders = [placed(number, title=f"Plate {number}", client=OTHER_COMPANY) for number in range(3)]
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED, *orders)
    newest_first = [str(order.order_id) for order in reversed(orders)]

    async def ids(query: str) -> list[str]:
        return [order["order_id"] for order in await items(gateway, f"/work/orders?{query}", SALES)]

    assert await ids("client=C-0099") == newest_first
    assert await ids("search=plate 1") == [newest_first[1]]
    assert await ids("search=Other Wor&status=submitted") == newest_first
    assert await ids("stage=technical_review&order_type=machining") == [str(ORDER)]
    assert await ids("search=SO-2026-1187&client=C-0017") == [str(ORDER)]
    assert await ids("search=%25") == []
    first = (await gateway.get("/work/orders?limit=2&client=C-0099", SALES)).json()
    rest = (await gateway.get(f"/work/orders?limit=2&client=C-0099&cursor={first['next_cursor']}", SALES)).json()
    assert [order["order_id"] for order in first["items"] + rest["items"]] == newest_first
    assert rest["next_cursor"] is None


async def test_an_approval_waits_in_the_inbox_of_who_may_decide_it_and_nobody_elses(gateway: Running) -> None:
    own = placed(1, requester=SALES_MANAGER_ACTOR, approval_steps=(ApprovalStep(step=1, role="sales_manager"),))
    await gateway.hear(example(OrderPlaced), own)

    async def inbox(who: Who) -> list[str]:
        return [order["order_id"] for order in await items(gateway, "/work/approvals", who)]

    assert await inbox(SALES_MANAGER) == [str(ORDER)]
    assert set(await inbox(Who("zhang", ("sales_manager",)))) == {str(ORDER), str(own.order_id)}
    assert await inbox(FINANCE_MANAGER) == []
    await gateway.hear(example(ApprovalDecided))
    assert await inbox(SALES_MANAGER) == []
    assert await inbox(FINANCE_MANAGER) == [str(ORDER)]
    await gateway.hear(example(OrderRejected))
    assert await inbox(FINANCE_MANAGER) == []


SALES_MANAGER_ACTOR = f"user:{SALES_MANAGER.user_id}"


async def test_the_board_counts_what_is_under_way_in_each_stage(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED, *(placed(number) for number in range(7)))
    board = (await gateway.get("/work/board", SALES)).json()
    assert [(stage["code"], stage["count"]) for stage in board][:3] == [
        ("created", 7),
        ("technical_review", 1),
        ("production_scheduling", 0),
    ]
    assert [order["order_no"] for order in board[0]["newest"]] == [f"ORD-{n:06}" for n in (6, 5, 4, 3, 2)]
    await gateway.hear(example(OrderCancelled))
    assert (await gateway.get("/work/board", SALES)).json()[1]["count"] == 0


async def test_my_tasks_are_what_i_have_and_what_i_could_take(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED)

    async def mine(who: Who, query: str = "") -> list[str]:
        return [task["code"] for task in await items(gateway, f"/work/tasks{query}", who)]

    assert await mine(ENGINEER) == ["drawing_review", "process_plan"]
    assert await mine(PLANNER) == ["material"]
    assert await mine(ADMINISTRATOR) == []
    first = (await gateway.get("/work/tasks?limit=1", ENGINEER)).json()
    assert first["items"][0]["order"]["order_no"] == "ORD-000042"
    assert await mine(ENGINEER, f"?cursor={first['next_cursor']}") == ["process_plan"]
    await gateway.hear(*WORK)
    assert await mine(ENGINEER, "?status=started") == ["drawing_review"]
    assert await mine(Who("01a05a7a-fa20-79a7-af98-0de47819ba3d"), "?status=finished") == ["milling"]
    assert (await gateway.get("/work/tasks?status=lost", ENGINEER)).status_code == 422


async def test_a_reader_can_wait_until_their_own_fact_is_shown(gateway: Running) -> None:
    (record,) = await gateway.hear(example(OrderPlaced))
    event_id = dict(record.headers)["ce_id"].decode()
    seen = await gateway.get(f"/work/orders/{ORDER}", SALES, headers={"Orderloom-After": event_id})
    assert seen.status_code == 200


@pytest.mark.parametrize("path", ["/portal/orders", "/work/orders"])
async def test_a_cursor_of_ones_own_making_is_refused(gateway_read_only: Running, path: str) -> None:
    who = CLIENT if path.startswith("/portal") else SALES
    assert (await gateway_read_only.get(f"{path}?cursor=nonsense", who)).status_code == 400
