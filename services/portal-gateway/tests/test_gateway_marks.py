"""How an order is drawn: its thread, its plan, its money's age; each from what is known of it alone."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.pages.ageing import BANDS, ageing_of
from portal.pages.language import Formats, Language, choose
from portal.pages.marks import late_days, money_state, order_state, sentence, spans_of, standing, thread
from portal.pages.payable import to_pay
from portal.pages.plan import critical_tasks, plan_of

TODAY = dt.date(2026, 11, 23)
NOW = dt.datetime(2026, 11, 23, 1, 38, tzinfo=dt.UTC)


def formats(language: Language = "en") -> Formats:
    return Formats(language, zone=ZoneInfo("Asia/Shanghai"), now=NOW)


@dataclass
class Order:
    """What a page knows of one."""

    status: str = "approved"
    stage: str = "production"
    stage_name: Any = field(default_factory=lambda: {"zh": "生产", "en": "Production"})
    sign_off_possible: bool = False
    planned_finish: dt.date | None = dt.date(2026, 12, 9)
    requested_date: dt.date | None = dt.date(2026, 12, 4)
    approved_on: dt.date | None = dt.date(2026, 10, 9)
    accepted_on: dt.date | None = None
    closed_on: dt.date | None = None
    currency: str = "CNY"
    tasks: list[Any] = field(default_factory=list)

    @property
    def stages(self) -> list[dict[str, Any]]:
        codes = ["created", "production", "sign_off"]
        present = codes.index(self.stage)
        states = ["done" if n < present else "now" if n == present else "next" for n in range(3)]
        return [
            {"code": code, "name": {"zh": code, "en": code}, "state": state}
            for code, state in zip(codes, states, strict=True)
        ]


def task(number: int, start: int, finish: int, *, status: str = "planned", after: tuple[int, ...] = ()) -> Any:
    return SimpleNamespace(
        task_id=UUID(int=number),
        name={"zh": f"任务 {number}", "en": f"Task {number}"},
        stage="production",
        status=status,
        role="machinist",
        queue=None,
        assignee_name="Xu",
        planned_start=TODAY + dt.timedelta(days=start),
        planned_finish=TODAY + dt.timedelta(days=finish),
        started_at=NOW if status in ("started", "finished") else None,
        finished_at=NOW if status == "finished" else None,
        depends_on=[UUID(int=each) for each in after],
    )


def instalment(status: str, rule: str = "on_approval", due: dt.date | None = None) -> dict[str, Any]:
    paid_on = "2026-10-09" if status == "paid" else None
    return {
        "status": status,
        "rule": rule,
        "due_date": due and due.isoformat(),
        "amount": "145800.00",
        "paid_on": paid_on,
    }


def test_the_thread_says_where_the_order_is_how_far_and_how_late() -> None:
    tasks = [task(1, 0, 1, status="finished"), task(2, 1, 2), task(3, 2, 3), task(4, 3, 4, status="finished")]
    drawn = thread(Order(), formats(), is_client=False, tasks=tasks, instalments=[instalment("paid")])
    assert [knot.state for knot in drawn.knots] == ["done", "late", "next", "next"]
    assert (drawn.knots[1].is_current, drawn.knots[1].spun) == (True, 2)
    assert drawn.knots[1].lines == ["2 of 4 tasks finished"]
    assert [drawn.knots[0].money[0].state, drawn.knots[0].money[0].words] == ["paid", "Paid 9 Oct"]
    assert drawn.words == "Stage 2 of 4, 5 days late"


def test_each_stage_has_its_dates_and_the_date_asked_for_stands_where_the_plan_passes_it() -> None:
    order = Order(planned_finish=TODAY + dt.timedelta(days=9), requested_date=TODAY + dt.timedelta(days=4))
    done, under_way = task(1, 0, 1, status="finished"), task(2, 2, 9)
    done.stage, cancelled = "created", task(3, 0, 40, status="cancelled")
    spans = spans_of(order.stages, [done, under_way, cancelled], formats())
    drawn = thread(order, formats(), is_client=True, spans=spans)
    assert drawn.knots[0].lines == ["Approved 9 Oct", "Done 23 Nov"]
    assert drawn.knots[1].lines == ["Planned 25 Nov – 2 Dec"]
    assert [knot.pin for knot in drawn.knots] == ["", "Asked for 27 Nov", "", ""]
    kept = Order(planned_finish=order.planned_finish, requested_date=order.planned_finish)
    assert not any(knot.pin for knot in thread(kept, formats(), is_client=True, spans=spans).knots)


@pytest.mark.parametrize(
    ("order", "row"),
    [
        (Order(), ("Production", "Planned 9 Dec, 5 days late")),
        (Order(requested_date=dt.date(2026, 12, 10)), ("Production", "Planned 9 Dec, 1 day early")),
        (Order(requested_date=dt.date(2026, 12, 9)), ("Production", "Planned 9 Dec, as asked for")),
        (Order(requested_date=None), ("Production", "Planned 9 Dec")),
        (Order(planned_finish=None), ("Approved. The plan is being made.", "")),
        (Order(status="on_hold"), ("On hold in Production.", "")),
    ],
)
def test_a_row_says_where_the_order_is_and_how_its_date_stands(order: Order, row: tuple[str, str]) -> None:
    assert standing(order, formats(), is_client=True) == row


def test_an_invoice_waits_for_its_client_from_a_week_before_it_is_payable_until_it_is_paid() -> None:
    def invoice(days: int, paid: str = "0") -> dict[str, str]:
        payable_by = (TODAY + dt.timedelta(days=days)).isoformat()
        return {"number": f"{days}", "currency": "CNY", "total": "10", "paid": paid, "payable_by": payable_by}

    orders = [SimpleNamespace(invoices=[invoice(7), invoice(8), invoice(-1, paid="4"), invoice(-2, paid="10")])]
    waiting = [payable for _, payable in to_pay(orders, TODAY)]
    assert [(each.number, each.open_amount, each.is_late) for each in waiting] == [
        ("-1", Decimal(6), True),
        ("7", Decimal(10), False),
    ]


def test_whoever_is_waited_for_is_named_to_each_in_their_own_words() -> None:
    order = Order(stage="sign_off", sign_off_possible=True, planned_finish=dt.date(2026, 12, 1))
    assert thread(order, formats(), is_client=True).knots[2].lines == ["Waiting on you"]
    assert thread(order, formats(), is_client=False).knots[2].lines == ["Waiting on the client"]
    assert thread(order, formats(), is_client=True).knots[2].state == "waiting"
    assert "waiting for you to accept" in sentence(order, formats(), is_client=True)
    assert order_state(order, TODAY) == "waiting"


@pytest.mark.parametrize(
    ("order", "days"),
    [
        (Order(), 5),
        (Order(requested_date=None), 0),
        (Order(requested_date=None, planned_finish=dt.date(2026, 11, 20)), 3),
        (Order(planned_finish=dt.date(2026, 12, 4)), 0),
        (Order(planned_finish=None), 0),
        (Order(status="delivered", accepted_on=dt.date(2026, 12, 20)), 0),
        (Order(status="submitted"), 0),
    ],
)
def test_late_is_what_ends_after_the_date_asked_for_or_after_its_own_plan(order: Order, days: int) -> None:
    assert late_days(order, TODAY) == days


def test_money_is_overdue_the_day_after_it_was_due() -> None:
    assert money_state(instalment("invoiced", due=TODAY), TODAY) == "invoiced"
    assert money_state(instalment("invoiced", due=TODAY - dt.timedelta(days=1)), TODAY) == "overdue"
    assert money_state(instalment("planned", "after_acceptance"), TODAY) == "retained"
    assert money_state(instalment("due"), TODAY) == "ahead"


def test_the_end_depends_on_the_chain_of_those_that_finish_last() -> None:
    tasks = [
        task(1, 0, 2),
        task(2, 0, 5),
        task(3, 6, 8, after=(1, 2)),
        task(4, 3, 4, after=(1,)),
        task(5, 9, 9, after=(3, 4)),
    ]
    assert {str(each)[-1]: before and str(before)[-1] for each, before in critical_tasks(tasks).items()} == {
        "5": "3",
        "3": "2",
        "2": None,
    }
    plan = plan_of(Order(tasks=tasks), formats())
    assert plan is not None
    assert [bar.is_critical for bar in plan.bars] == [False, True, True, False, True]
    assert plan.today_x == 0.0


def test_rule_30_what_is_done_lies_on_the_days_on_which_it_was_done() -> None:
    early = task(1, 3, 6, status="finished")
    late = task(2, -7, -5, status="finished")
    slow = task(3, -7, -5, status="started")
    plan = plan_of(Order(tasks=[early, late, slow, task(4, 7, 8)], requested_date=None), formats())
    assert plan is not None
    one_day = plan.bars[0].width
    assert [bar.x for bar in plan.bars[:3]] == [plan.today_x] * 3 and [bar.width for bar in plan.bars[:3]] == [
        one_day
    ] * 3
    assert [bar.words.split(",")[0] for bar in plan.bars] == ["23 Nov to 23 Nov"] * 3 + ["30 Nov to 1 Dec"]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=12))
def test_every_bar_lies_on_the_scale(spans: list[tuple[int, int]]) -> None:
    tasks = [task(number, start, start + length) for number, (start, length) in enumerate(spans, start=1)]
    plan = plan_of(Order(tasks=tasks), formats())
    assert plan is not None
    for bar in plan.bars:
        assert bar.x >= 0
        assert bar.width > 0
        assert bar.x + bar.width <= 100.01


def test_nothing_planned_is_no_plan() -> None:
    assert plan_of(Order(), formats()) is None


AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=2)


def aged(*amounts: int) -> dict[str, str]:
    bands = dict(zip(BANDS, map(str, amounts), strict=True))
    return bands | {"total": str(sum(amounts))}


def test_ageing_is_shown_as_it_was_added_up_with_a_row_for_those_without_one() -> None:
    client = {"client_code": "A", "client_name": "A-Works", "invoices": 2, "open": aged(1, 0, 2, 0)}
    of_many = {"currency": "EUR", "invoices": 9, "clients": [client], "other_clients": 3, "others": aged(1, 1, 0, 0)}
    of_few = {"currency": "CNY", "invoices": 1, "clients": [], "other_clients": 0, "others": aged(0, 0, 0, 0)}
    found = ageing_of([of_few | {"open": aged(0, 0, 0, 0)}, of_many | {"open": aged(2, 1, 2, 0)}])
    first, second = found
    assert [each.currency for each in found] == ["EUR", "CNY"]
    assert [(row.client_name, f"{row.total}", f"{row.overdue}") for row in first.rows] == [("A-Works", "3", "2")]
    assert first.others is not None and (first.others.clients, f"{first.others.total}") == (3, "2")
    assert (f"{first.whole.total}", f"{first.whole.overdue}") == ("5", "3")
    assert first.shares == [(0.0, 40.0), (40.0, 20.0), (60.0, 40.0), (100.0, 0.0)]
    assert second.others is None and second.shares == [(0.0, 0.0)] * 4


def test_amounts_and_dates_are_written_as_each_language_writes_them() -> None:
    english, chinese = formats("en"), formats("zh-CN")
    assert english.money("145800", "CNY") == "¥145,800.00"
    assert english.money("-1250.5", "EUR") == "−€1,250.50"
    assert english.money("98000", "JPY") == "JP¥98,000"
    assert english.money("0.3856", "CNY") == "¥0.3856"
    assert (english.day("2026-12-09"), chinese.day("2026-12-09")) == ("9 Dec", "12 月 9 日")
    assert (english.day("2027-12-09"), chinese.day("2027-12-09")) == ("9 Dec 2027", "2027 年 12 月 9 日")
    assert (english.weekday("2026-12-09"), chinese.weekday("2026-12-09")) == ("Wed 9 Dec", "12 月 9 日（周三）")
    assert (english.due("2026-11-11"), chinese.due("2026-11-11")) == ("12 days overdue", "逾期 12 天")
    assert (english.due("2026-11-23"), chinese.due("2026-11-24")) == ("due today", "11 月 24 日到期，还有 1 天")
    assert (english.moment(NOW), chinese.moment(NOW)) == ("today 09:38", "今天 09:38")
    assert english.moment("no time") == "no time"
    assert english.number("186.50") == "186.5"


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"),
    [
        ("en", "zh-CN", "en"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "zh-TW,zh;q=0.9", "zh-CN"),
        (None, "fr", "zh-CN"),
        (None, "", "zh-CN"),
        ("xx", "en", "en"),
    ],
)
def test_the_language_asked_for_goes_before_the_browsers(asked: str | None, accepted: str, chosen: str) -> None:
    assert choose(asked=asked, accepted=accepted) == chosen
