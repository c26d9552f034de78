"""Facts in: each is told once to everyone it concerns, and never to anyone else."""

from typing import Any
from uuid import UUID

from notify_world import (
    BEFORE,
    CLIENT_PERSON,
    ENGINEER,
    MANAGER,
    ORDER_ID,
    OTHER_CLIENT_ID,
    SALES,
    SALES_MANAGER,
    begun,
    changed,
    example,
    fact,
    placed,
    ready,
    told,
    user,
)

from chassis.ids import new_id
from contracts.directory import OrderTypePublished, UserChanged, UserRegistered
from contracts.event import Event
from contracts.order import OrderApproved, OrderHeld, OrderRejected, StageAdvanced
from contracts.project import ProjectCreated
from notify import audience
from notify.consumers import directory, notices
from stack import Running

SECRET = "内部原因 internal reason"


def with_secrets(event_type: str) -> Event:
    """The example, with a secret wherever the contract has room for one."""
    event: Any = placed() if event_type == "order.placed.v1" else fact(event_type)
    secrets = {name: SECRET for name in ("reason", "comment", "note") if name in type(event).model_fields}
    if event_type == "inspection.recorded.v1":
        secrets["result"] = "failed"
    return event.model_copy(update=secrets)  # type: ignore[no-any-return]


async def test_every_fact_is_told_once_to_each_on_each_channel_and_no_secret_to_a_client(
    notify_service: Running,
) -> None:
    """Each about an order of its own, and each delivered twice."""
    await ready(notify_service)
    for event_class in audience.FACTS:
        order_id = new_id()
        await notify_service.hear(*(event.model_copy(update={"order_id": order_id}) for event in BEFORE))
        records = await notify_service.hear(with_secrets(event_class.type).model_copy(update={"order_id": order_id}))
        await notify_service.hear_again(records)
        cause_id = dict(records[0].headers)["ce_id"].decode()
        rows = "SELECT user_id, channel FROM notices WHERE cause_id = :cause_id AND order_id = :order_id"
        given = await notify_service.rows(rows, cause_id=UUID(cause_id), order_id=order_id)
        assert len(given) == len({tuple(row.values()) for row in given}) > 0, event_class.type
        (told_of,) = [each for each in await notify_service.told() if each["data"]["cause_id"] == cause_id]
        assert (told_of["type"], told_of["topic"], told_of["key"]) == ("notice.given.v1", "orders", str(order_id))
        assert (told_of["headers"]["ce_causationid"], told_of["headers"]["ce_subject"]) == (cause_id, "ORD-000042")
        assert told_of["data"]["cause_type"] == event_class.type
        recipients = [(each["user_id"], each["channel"]) for each in told_of["data"]["recipients"]]
        assert sorted(recipients) == sorted((row["user_id"], row["channel"]) for row in given)
    await no_client_reads_what_is_internal(notify_service)
    assert await notify_service.count("parked_keys") == 0


async def no_client_reads_what_is_internal(notify_service: Running) -> None:
    people = [row["name"] for row in await notify_service.rows("SELECT name FROM recipients")]
    texts = await notify_service.rows("SELECT notices.*, client_id FROM notices JOIN recipients USING (user_id)")
    read = {row["user_id"]: row["subject"] + row["text"] for row in texts if row["client_id"]}
    assert read.keys() == {CLIENT_PERSON}
    assert any(SECRET in row["text"] for row in texts if not row["client_id"])
    for row in texts:
        if row["client_id"]:
            assert not [word for word in (SECRET, "苏州海岳", *people) if word in row["subject"] + row["text"]]


async def test_the_whole_story_in_one_batch_is_the_same_as_one_by_one_and_twice(notify_service: Running) -> None:
    await ready(notify_service)
    story = [placed(), *(fact(each.type) for each in audience.FACTS if each.type != "order.placed.v1")]
    records = await notify_service.hear(*story)
    assert await notify_service.count("parked_keys") == 0
    once = await told(notify_service)
    for record in records:
        await notify_service.hear_again([record])
    await notify_service.hear_again(records)
    assert await told(notify_service) == once
    assert {
        row["n"]
        for row in await notify_service.rows("SELECT count(*) AS n FROM notices GROUP BY cause_id, user_id, channel")
    } == {1}


async def test_words_are_in_the_language_of_their_reader_with_a_link(notify_service: Running) -> None:
    await ready(notify_service, user(SALES, locale="en"), user(CLIENT_PERSON), user(SALES_MANAGER, locale="zh-Hans-CN"))
    await notify_service.hear(placed(), fact("order.approved.v1"))
    rows = await notify_service.rows("SELECT user_id, locale, subject, text FROM notices WHERE channel = 'in_app'")
    by_user = {row["user_id"]: row for row in rows}
    assert by_user[SALES]["subject"] == "Order ORD-000042 is approved"
    assert by_user[CLIENT_PERSON]["subject"] == "您的订单 ORD-000042 已确认"
    assert by_user[SALES_MANAGER]["subject"].startswith("等你处理：审批订单 ORD-000042")
    assert [by_user[each]["locale"] for each in (SALES, CLIENT_PERSON, SALES_MANAGER)] == ["en", "zh-CN", "zh-CN"]
    assert by_user[SALES]["text"].endswith(f"\nhttps://orders.example.com/orders/{ORDER_ID}\n")


async def test_an_assignee_gets_one_notice_with_all_their_tasks(notify_service: Running) -> None:
    await ready(notify_service, user(ENGINEER, locale="en"), user(MANAGER))
    await notify_service.hear(placed(), example(ProjectCreated))
    (row,) = await notify_service.rows(
        "SELECT subject, text FROM notices WHERE channel = 'in_app' AND user_id = :user_id", user_id=ENGINEER
    )
    assert row["subject"] == "Order ORD-000042: 2 tasks for you"
    assert "- Drawing review, Tue 3 Nov 2026 to Wed 4 Nov 2026\n- Process plan" in row["text"]


async def test_nothing_is_told_when_nobody_is_concerned(notify_service: Running) -> None:
    await notify_service.hear(placed(requester="integration:yonyou-u9"), fact("order.rejected.v1"))
    assert (await notify_service.count("notices"), await notify_service.told()) == (0, [])


async def test_an_order_placed_again_is_told_with_what_was_edited(notify_service: Running) -> None:
    await ready(notify_service)
    await notify_service.hear(placed(), example(OrderRejected))
    await notify_service.hear(placed(revision=2, title="60 brackets"))
    assert (await told(notify_service))[SALES_MANAGER][-1].endswith("60 brackets")
    (order,) = await notify_service.rows("SELECT title, version FROM order_audiences")
    assert (order["title"], order["version"]) == ("60 brackets", 4)


async def test_a_fact_about_an_order_that_was_never_placed_is_a_dead_letter(notify_service: Running) -> None:
    await begun(notify_service)
    stray = new_id()
    await notify_service.hear(example(OrderHeld, order_id=stray), example(OrderHeld))
    assert [each["key"] for each in await notify_service.told(topic="notify.dead-letter")] == [str(stray)]
    assert await notify_service.count("parked_keys") == 0
    assert SALES in await told(notify_service)


async def test_a_stage_waits_for_its_order_type_and_holds_up_no_other_order(notify_service: Running) -> None:
    await notify_service.hear(user(SALES), user(ENGINEER), placed())
    other = new_id()
    advanced = [notify_service.record(example(StageAdvanced))]
    approved = [
        notify_service.record(placed(order_id=other)),
        notify_service.record(example(OrderApproved, order_id=other)),
    ]
    await notify_service.hear_again([*advanced, *approved])
    assert list(await told(notify_service)) == [SALES]
    await notify_service.hear(example(OrderTypePublished))
    await notify_service.worker.inbox.try_again()
    assert list(await told(notify_service)) == [SALES, ENGINEER]


async def test_people_and_types_of_the_directory_are_known_once_however_often_told(notify_service: Running) -> None:
    events: list[Event] = [example(UserRegistered), example(UserChanged), example(OrderTypePublished)]
    records = await notify_service.hear(*events)
    await notify_service.hear_again(records)
    await notify_service.hear(*events)
    (person,) = await notify_service.rows("SELECT user_id, locale FROM recipients")
    assert (person["user_id"], person["locale"]) == (CLIENT_PERSON, "en")
    assert (await notify_service.count("order_types"), await notify_service.told()) == (1, [])


async def test_a_person_told_of_in_the_same_batch_is_reached(notify_service: Running) -> None:
    await notify_service.hear(placed(), fact("order.approved.v1"), user(CLIENT_PERSON), user(SALES))
    assert set(await told(notify_service)) == {CLIENT_PERSON, SALES}
    await notify_service.hear(changed(CLIENT_PERSON, client_id=OTHER_CLIENT_ID), example(OrderHeld))
    assert len((await told(notify_service))[CLIENT_PERSON]) == 1


async def test_a_mail_waits_for_an_address_and_leaves_when_it_is_known(notify_service: Running) -> None:
    async def statuses() -> dict[str, str]:
        rows = await notify_service.rows("SELECT user_id, status FROM notices WHERE channel = 'email'")
        return {row["user_id"]: row["status"] for row in rows}

    await ready(notify_service, user(MANAGER), user(CLIENT_PERSON, email=None))
    await notify_service.hear(placed(), fact("order.approved.v1"), fact("project.created.v1", tasks=()))
    assert await statuses() == {SALES: "waiting", CLIENT_PERSON: "waiting", MANAGER: "pending"}
    await notify_service.hear(changed(CLIENT_PERSON, email=""))
    assert (await statuses())[CLIENT_PERSON] == "waiting"
    late = await notify_service.hear(changed(CLIENT_PERSON), user(SALES))
    await notify_service.hear_again(late)
    assert await statuses() == {SALES: "pending", CLIENT_PERSON: "pending", MANAGER: "pending"}
    assert len(await notify_service.told("notice.given.v1")) == 2


def test_every_fact_with_an_audience_is_listened_to() -> None:
    assert set(notices.handlers) == {each.type for each in audience.FACTS}
    assert "notice.given.v1" not in notices.handlers
    assert set(directory.handlers) == {"user.registered.v1", "user.changed.v1", "order_type.published.v1"}
