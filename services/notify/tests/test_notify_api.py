"""Who was told what can be asked, each person reads their own notices, and nobody those of others."""

import pytest
from notify_world import (
    CLIENT_ID,
    CLIENT_PERSON,
    ORDER_ID,
    OTHER_CLIENT_ID,
    SALES,
    begun,
    changed,
    fact,
    placed,
    ready,
    user,
)

from chassis.ids import new_id
from stack import Running, Who

SALES_PERSON = Who(SALES, ("sales",))
CLIENT = Who(CLIENT_PERSON, ("client",), kind="client", client_id=CLIENT_ID)
STRANGER = Who("stranger", ("client",), kind="client", client_id=OTHER_CLIENT_ID)
SYSTEM = Who(SALES, ("orders:write",), kind="integration")


@pytest.fixture
def one_statement_flush() -> bool:
    """Nothing here makes new rows."""
    return True


async def test_people_read_their_own_notices_newest_first(notify_service: Running) -> None:
    await begun(notify_service)
    await notify_service.hear(fact("order.approved.v1"), fact("order.held.v1"), fact("delivery.submitted.v1"))
    mine = (await notify_service.get("/notices", CLIENT)).json()["items"]
    assert [each["cause_type"] for each in mine] == ["delivery.submitted.v1", "order.held.v1", "order.approved.v1"]
    assert mine[0]["subject"] == "等您处理：签收订单 ORD-000042"
    assert "status" not in mine[0]
    assert len((await notify_service.get("/notices", SALES_PERSON)).json()["items"]) == 2
    assert (await notify_service.get("/notices", STRANGER)).json()["items"] == []


async def test_a_page_goes_on_where_the_one_before_ended(notify_service: Running) -> None:
    await begun(notify_service)
    for name in ("order.approved.v1", "order.held.v1", "order.resumed.v1"):
        await notify_service.hear(fact(name))
    first = (await notify_service.get("/notices?limit=2", CLIENT)).json()
    second = (await notify_service.get(f"/notices?limit=2&cursor={first['next_cursor']}", CLIENT)).json()
    shown = [each["cause_type"] for each in (*first["items"], *second["items"])]
    assert shown == ["order.resumed.v1", "order.held.v1", "order.approved.v1"]
    assert second["next_cursor"] is None


async def test_a_notice_is_read_once_and_only_by_its_reader(notify_service: Running) -> None:
    await begun(notify_service)
    await notify_service.hear(fact("order.approved.v1"), fact("order.held.v1"))
    newest, _ = (await notify_service.get("/notices", CLIENT)).json()["items"]
    path = f"/notices/{newest['notice_id']}/read"
    for who in (SALES_PERSON, STRANGER):
        assert (await notify_service.post(path, who)).status_code == 404
    read = await notify_service.post(path, CLIENT)
    assert read.status_code == 200 and read.json()["read_at"]
    assert (await notify_service.post(path, CLIENT)).json()["read_at"] == read.json()["read_at"]
    unread = (await notify_service.get("/notices?unread=true", CLIENT)).json()["items"]
    assert [each["cause_type"] for each in unread] == ["order.approved.v1"]
    assert (await notify_service.post("/notices/read-all", CLIENT)).json() == {"read": 1}
    assert (await notify_service.post("/notices/read-all", CLIENT)).json() == {"read": 0}
    assert (await notify_service.get("/notices?unread=true", CLIENT)).json()["items"] == []
    assert len((await notify_service.get("/notices?unread=true", SALES_PERSON)).json()["items"]) == 2
    assert (await notify_service.post(f"/notices/{new_id()}/read", CLIENT)).status_code == 404


async def test_an_email_is_no_notice_in_the_app(notify_service: Running) -> None:
    await begun(notify_service)
    await notify_service.hear(fact("order.closed.v1"))
    (mail,) = await notify_service.rows(
        "SELECT notice_id FROM notices WHERE channel = 'email' AND user_id = :user_id", user_id=CLIENT_PERSON
    )
    assert (await notify_service.post(f"/notices/{mail['notice_id']}/read", CLIENT)).status_code == 404
    assert len((await notify_service.get("/notices", CLIENT)).json()["items"]) == 1


async def test_rule_33_a_client_person_who_changes_company_no_longer_reads_of_the_old_one(
    notify_service: Running,
) -> None:
    await begun(notify_service)
    await notify_service.hear(fact("order.closed.v1"))
    await notify_service.hear(changed(CLIENT_PERSON, client_id=OTHER_CLIENT_ID))
    moved = Who(CLIENT_PERSON, ("client",), kind="client", client_id=OTHER_CLIENT_ID)
    (notice,) = (await notify_service.get("/notices", CLIENT)).json()["items"]
    assert (await notify_service.get("/notices", moved)).json()["items"] == []
    assert (await notify_service.post(f"/notices/{notice['notice_id']}/read", moved)).status_code == 404
    assert (await notify_service.post("/notices/read-all", moved)).json() == {"read": 0}


async def test_the_team_sees_who_was_told_what_on_which_channel(notify_service: Running) -> None:
    await ready(notify_service, user(CLIENT_PERSON, name="Lin Xiao"))
    await notify_service.hear(placed(), fact("order.approved.v1"))
    first = (await notify_service.get(f"/orders/{ORDER_ID}/notices?limit=3", SALES_PERSON)).json()
    rest = await notify_service.get(f"/orders/{ORDER_ID}/notices?cursor={first['next_cursor']}", SALES_PERSON)
    shown = {(each["name"], each["channel"], each["status"]) for each in first["items"] + rest.json()["items"]}
    assert shown == {
        (None, "email", "waiting"),
        (None, "in_app", "given"),
        ("Lin Xiao", "email", "pending"),
        ("Lin Xiao", "in_app", "given"),
    }
    counts = await notify_service.get(f"/orders/{ORDER_ID}/notices/counts", SALES_PERSON)
    assert counts.json() == {"email": 2, "in_app": 2}


async def test_an_order_of_which_nobody_was_told_has_no_notices_and_an_unknown_one_is_not_found(
    notify_service: Running,
) -> None:
    await notify_service.hear(placed())
    counts = await notify_service.get(f"/orders/{ORDER_ID}/notices/counts", SALES_PERSON)
    assert counts.json() == {"email": 0, "in_app": 0}
    for path in (f"/orders/{new_id()}/notices", f"/orders/{new_id()}/notices/counts"):
        assert (await notify_service.get(path, SALES_PERSON)).status_code == 404


async def test_who_was_told_is_for_the_team_only(notify_service: Running) -> None:
    await notify_service.hear(placed())
    for path in (f"/orders/{ORDER_ID}/notices", f"/orders/{ORDER_ID}/notices/counts"):
        assert (await notify_service.get(path)).status_code == 401
        for who in (CLIENT, SYSTEM):
            assert (await notify_service.get(path, who)).status_code == 403


async def test_a_cursor_that_was_never_answered_is_refused(notify_service: Running) -> None:
    for cursor in ("x", "WyJ4Il0", "WzEsMl0", "WyJhIiwiYiJd"):
        assert (await notify_service.get(f"/notices?cursor={cursor}", CLIENT)).status_code == 400


async def test_notices_are_for_people_who_are_signed_in(notify_service: Running) -> None:
    for method, path in (("GET", "/notices"), ("POST", "/notices/read-all"), ("POST", f"/notices/{new_id()}/read")):
        assert (await notify_service.request(method, path)).status_code == 401
        assert (await notify_service.request(method, path, SYSTEM)).status_code == 403
