"""Who is told of which fact, and in which words: no database."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from notify_world import (
    BEFORE,
    CLIENT_ID,
    CLIENT_PERSON,
    ENGINEER,
    EVERYONE,
    FINANCE,
    FINANCE_MANAGER,
    GENERAL_MANAGER,
    INSPECTOR,
    MACHINIST,
    MANAGER,
    OTHER_CLIENT_ID,
    OTHER_CLIENT_PERSON,
    OTHER_MACHINIST,
    SALES,
    SALES_MANAGER,
    changed,
    example,
    fact,
    placed,
    user,
)

from chassis.clock import utc_now
from chassis.errors import NotYetKnown
from contracts.directory import OrderTypePublished
from contracts.event import Labels
from contracts.project import Person as Named
from notify import audience, texts
from notify.models import OrderAudience, TaskNeverPlanned
from notify.people import People, Person
from notify.related import Related

ZONE = ZoneInfo("Asia/Shanghai")
MACHINING = example(OrderTypePublished)
BEFORE_TYPES = ("order.placed.v1", "project.created.v1", "instalments.planned.v1")


def person(told: Any) -> Person:
    return Person(
        user_id=told.user_id,
        name=told.name,
        locale=told.locale,
        has_address=told.email is not None,
        roles=told.roles,
        client_id=told.client_id,
        is_active=told.active,
    )


def related(*people: Any, order: OrderAudience | None = None, types: Mapping[Any, Any] | None = None) -> Related:
    """Of the order in the middle of its life."""
    if order is None:
        order = OrderAudience.of(placed())
        for event in BEFORE:
            order.learn(event)
    latest = {each.user_id: each for each in (*EVERYONE, *people)}
    known = {("machining", 1): MACHINING} if types is None else types
    return Related(order, People(map(person, latest.values())), known, ZONE)


def told(name: str, of: Related | None = None, /, **changes: Any) -> dict[str, str]:
    """By user id, the text that they get of the fact called `name`."""
    event = placed(**changes) if name == "order.placed.v1" else fact(name, **changes)
    tellings = audience.concerned(event, of or related())
    return {each.user_id: telling.variant for telling in tellings for each in telling.people}


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("order.placed.v1", {}, {SALES_MANAGER}),
        ("approval.decided.v1", {}, {FINANCE_MANAGER}),
        ("approval.decided.v1", {"next_role": None}, {SALES}),
        ("approval.decided.v1", {"next_role": None, "decision": "rejected"}, {SALES}),
        ("order.approved.v1", {}, {SALES, CLIENT_PERSON}),
        ("order.rejected.v1", {}, {SALES}),
        ("order.stage_advanced.v1", {}, {ENGINEER}),
        ("order.held.v1", {}, {SALES, CLIENT_PERSON}),
        ("order.held.v1", {"by": f"user:{SALES}"}, {MANAGER, CLIENT_PERSON}),
        ("order.resumed.v1", {}, {SALES, CLIENT_PERSON}),
        ("order.cancelled.v1", {}, {SALES, MANAGER, CLIENT_PERSON}),
        ("order.closed.v1", {}, {SALES, CLIENT_PERSON}),
        ("project.created.v1", {}, {MANAGER, ENGINEER, MACHINIST, INSPECTOR}),
        ("project.created.v1", {"tasks": ()}, {MANAGER}),
        ("task.blocked.v1", {}, {MANAGER}),
        ("task.blocked.v1", {"by": f"user:{MANAGER}"}, set()),
        ("task.reassigned.v1", {}, {MACHINIST, OTHER_MACHINIST}),
        ("task.reassigned.v1", {"from_person": None}, {OTHER_MACHINIST}),
        ("task.overdue.v1", {"task_id": UUID("01a19f7e-36fe-7719-826c-b141a573d302")}, {MACHINIST}),
        ("task.overdue.v1", {"level": 2}, {MANAGER}),
        ("task.overdue.v1", {"level": 3}, {MANAGER, GENERAL_MANAGER}),
        ("inspection.recorded.v1", {}, set()),
        ("inspection.recorded.v1", {"result": "failed"}, {MANAGER}),
        ("inspection.recorded.v1", {"result": "failed", "by": f"user:{SALES}"}, {MANAGER, INSPECTOR}),
        ("milestone.reached.v1", {}, {MANAGER, SALES}),
        ("delivery.submitted.v1", {}, {CLIENT_PERSON}),
        ("delivery.accepted.v1", {}, {MANAGER, SALES, FINANCE}),
        ("project.cancelled.v1", {}, {MACHINIST, INSPECTOR}),
        ("instalments.planned.v1", {}, {FINANCE}),
        ("instalments.planned.v1", {"instalments": ()}, set()),
        ("instalment.due.v1", {}, {FINANCE}),
        ("invoice.issued.v1", {}, {CLIENT_PERSON}),
        ("receipt.recorded.v1", {}, {FINANCE, SALES}),
        ("instalments.cancelled.v1", {}, {FINANCE}),
    ],
)
def test_a_fact_is_told_to_those_whom_it_concerns(name: str, changes: dict[str, Any], expected: set[str]) -> None:
    assert set(told(name, **changes)) == expected


def test_the_requester_is_never_asked_to_approve() -> None:
    both = related(user(SALES, roles=("sales", "sales_manager", "finance_manager")))
    assert set(told("order.placed.v1", both)) == {SALES_MANAGER}
    assert set(told("approval.decided.v1", both)) == {FINANCE_MANAGER}


def test_a_system_that_placed_the_order_is_told_nothing() -> None:
    of = related(order=OrderAudience.of(placed(requester="integration:yonyou-u9")))
    assert told("order.rejected.v1", of) == {}
    assert set(told("order.approved.v1", of)) == {CLIENT_PERSON}


def test_the_manager_is_told_once_even_with_tasks_and_a_project_without_one_is_every_managers() -> None:
    created = fact("project.created.v1")
    leading = related(user(MANAGER), user(ENGINEER))
    leading.order.manager_id = ENGINEER
    assert told("project.created.v1", leading)[ENGINEER] == "project.created:manager"
    (first, *_) = audience.concerned(created, leading)
    assert [task.code for task in first.values["tasks"]] == ["drawing_review", "process_plan"]
    leading.order.manager_id = None
    assert told("task.blocked.v1", leading) == {MANAGER: "task.blocked"}


def test_nobody_manages_an_order_before_its_project() -> None:
    of = related(order=OrderAudience.of(placed()))
    assert set(told("order.cancelled.v1", of)) == {SALES, CLIENT_PERSON}


def test_a_task_in_a_queue_is_overdue_for_those_who_hold_its_role() -> None:
    assert told("task.overdue.v1") == {EVERYONE[8].user_id: "task.overdue"}  # material waits for a planner


def test_a_reassigned_task_is_its_new_owners_from_then_on() -> None:
    of = related()
    of.order.learn(fact("task.reassigned.v1"))
    task_id = UUID("01a19f7e-36fe-7719-826c-b141a573d302")
    assert set(told("task.overdue.v1", of, task_id=task_id)) == {OTHER_MACHINIST}
    assert OTHER_MACHINIST in told("project.cancelled.v1", of)


def test_a_task_that_was_never_planned_concerns_nobody() -> None:
    of = related(order=OrderAudience.of(placed()))
    for name in ("task.blocked.v1", "task.overdue.v1", "project.cancelled.v1"):
        with pytest.raises(TaskNeverPlanned):
            told(name, of)
    with pytest.raises(TaskNeverPlanned):
        of.order.learn(fact("task.reassigned.v1"))


def test_people_who_may_not_sign_in_are_told_nothing() -> None:
    gone = related(changed(SALES, active=False), changed(CLIENT_PERSON, active=False), changed(FINANCE, active=False))
    assert told("order.approved.v1", gone) == {}
    assert told("receipt.recorded.v1", gone) == {}


def test_a_person_not_known_yet_is_told_all_the_same_but_an_unknown_client_is_not() -> None:
    created = fact("project.created.v1", manager=Named(id="new", name="New"), tasks=())
    of = related()
    of.order.learn(created)
    (telling,) = audience.concerned(created, of)
    assert [(each.user_id, each.has_address) for each in telling.people] == [("new", False)]
    strange = related(order=OrderAudience.of(placed(requester="client:unknown")))
    assert told("order.rejected.v1", strange) == {}


def test_rule_33_a_client_is_told_only_of_its_own_orders_whatever_else_they_are() -> None:
    stranger = user(SALES, client_id=OTHER_CLIENT_ID)  # as if moved: requester of an order of another company
    of = related(stranger)
    for event_class in audience.FACTS:
        if event_class.type != "order.placed.v1":
            assert not {SALES, OTHER_CLIENT_PERSON} & set(told(event_class.type, of)), event_class
    own = related(user(SALES, client_id=CLIENT_ID))
    assert told("order.rejected.v1", own) == {}
    assert told("order.approved.v1", own)[SALES] == "order.approved"


def test_an_order_type_that_is_not_known_yet_is_waited_for() -> None:
    with pytest.raises(NotYetKnown):
        told("order.stage_advanced.v1", related(types={}))
    with pytest.raises(NotYetKnown):
        order = OrderAudience.of(placed(type_version=2))
        told("milestone.reached.v1", related(order=order))


def test_a_later_version_serves_when_the_topic_was_compacted() -> None:
    of = related(types={("machining", 3): MACHINING.model_copy(update={"version": 3, "milestones": ()})})
    assert set(told("order.stage_advanced.v1", of)) == {ENGINEER}
    assert of.milestone_name("accepted") == Labels(zh="accepted", en="accepted")
    assert told("order.stage_advanced.v1", of, to_stage="unheard_of") == {}


@pytest.mark.parametrize("language", texts.LANGUAGES.values(), ids=texts.LANGUAGES)
@pytest.mark.parametrize("event_class", audience.FACTS, ids=lambda event_class: event_class.type)
def test_every_fact_has_words_in_every_language(event_class: Any, language: Any) -> None:
    changes: dict[str, Any] = {"result": "failed"} if event_class.type == "inspection.recorded.v1" else {}
    name = event_class.type
    tellings = audience.concerned(placed() if name == "order.placed.v1" else fact(name, **changes), related())
    assert tellings
    for telling in tellings:
        for for_client in {each.is_client for each in telling.people}:
            known = {"order_no": "ORD-000042", "title": "Brackets", "link": "https://x/orders/1", "client": "Haiyue"}
            values = known | telling.values
            words = texts.write(telling.variant, language, for_client=for_client, values=values)
            assert "ORD-000042" in words.subject and "https://x/orders/1" in words.text and "Brackets" in words.text
            assert "None" not in words.text and "{" not in words.text + words.subject and "\n" not in words.subject


def test_both_languages_have_the_same_texts_and_keep_the_tone() -> None:
    chinese, english = texts.LANGUAGES["zh-CN"], texts.LANGUAGES["en"]
    assert (chinese.staff.keys(), chinese.client.keys()) == (english.staff.keys(), english.client.keys())
    for language in texts.LANGUAGES.values():
        for text in (*language.staff.values(), *language.client.values()):
            whole = (text.subject + text.happened + text.then).replace("!=", "")
            assert not set("!！") & set(whole)
            assert not [word for word in ("please", "sorry", "successfully") if word in whole.lower()]
    for name in ("order.approved", "order.held", "delivery.submitted"):
        assert "您" in chinese.client[name].subject


def test_every_text_is_one_that_some_fact_needs() -> None:
    used = {event_class.type.rpartition(".")[0] for event_class in audience.FACTS}
    for language in texts.LANGUAGES.values():
        assert {name.partition(":")[0] for name in (*language.staff, *language.client)} == used


@pytest.mark.parametrize("locale", texts.LANGUAGES)
def test_a_text_for_clients_needs_nothing_internal(locale: str) -> None:
    """A reason, a comment, a person, another company: no template for clients asks for one."""
    for name, text in texts.LANGUAGES[locale].client.items():
        for word in ("reason", "comment", "note", "by }}", "client }}", "assignee", "requester"):
            assert word not in text.subject + text.happened + text.then, name


def test_amounts_and_days_are_written_in_full() -> None:
    written = [texts.money("145800.00", "CNY"), texts.money("98000", "JPY"), texts.money("-1250.500", "KWD")]
    assert written == ["¥145,800.00", "JP¥98,000", "−KWD 1,250.500"]
    day = utc_now().date().replace(2026, 12, 9)
    assert texts.LANGUAGES["en"].day(day) == "Wed 9 Dec 2026"
    assert texts.LANGUAGES["zh-CN"].day(day) == "2026 年 12 月 9 日（周三）"


def test_a_name_in_latin_letters_has_room_among_chinese_words() -> None:
    named = texts.LANGUAGES["zh-CN"].named
    assert [named("海岳"), named("Haiyue"), named("海岳 Ltd")] == ["海岳", " Haiyue ", "海岳 Ltd "]
