"""Working days, and the plan that is laid over them; without a database."""

from dataclasses import dataclass, field
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_world import default

from project.schedule import Span, cycle_in, schedule
from project.working_calendar import NoWorkingDay, WorkingCalendar

USUAL = WorkingCalendar({})
COMPANY = WorkingCalendar({date.fromisoformat(day["date"]): day["is_working"] for day in default("calendar.json")})
MAKE_UP_DAYS_2026 = ("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10")


@dataclass
class Step:
    code: str
    duration_days: int
    depends_on: list[str] = field(default_factory=list)


def test_rule_29_weekends_and_public_holidays_are_off_without_any_data() -> None:
    assert USUAL.is_working(date(2026, 11, 23))
    assert not USUAL.is_working(date(2026, 11, 28))
    assert not USUAL.is_working(date(2026, 10, 1))
    assert not USUAL.is_working(date(2027, 2, 8))


def test_rule_29_make_up_days_are_data_and_always_count() -> None:
    assert sorted(day for day, is_working in COMPANY.exceptions.items() if is_working) == [
        date.fromisoformat(day) for day in MAKE_UP_DAYS_2026
    ]
    assert not USUAL.is_working(date(2026, 9, 20)) and COMPANY.is_working(date(2026, 9, 20))
    assert WorkingCalendar({date(2026, 11, 23): False}).first_from(date(2026, 11, 23)) == date(2026, 11, 24)


def test_the_last_of_some_days_counts_the_first_one() -> None:
    friday = date(2026, 11, 27)
    assert COMPANY.last_of(friday, 1) == friday
    assert COMPANY.last_of(friday, 2) == date(2026, 11, 30)
    assert COMPANY.last_of(date(2026, 9, 30), 2) == date(2026, 10, 8)
    assert COMPANY.last_of(date(2026, 10, 9), 2) == date(2026, 10, 10)  # a Saturday, made up for


def test_a_calendar_without_working_days_is_refused() -> None:
    always_off = WorkingCalendar({date.fromordinal(day): False for day in range(739_000, 740_500)})
    with pytest.raises(NoWorkingDay):
        always_off.first_from(date.fromordinal(739_100))


def test_a_successor_may_start_on_the_last_day_of_its_predecessor() -> None:
    work = [Step("c", 1, ["a", "b"]), Step("a", 2), Step("b", 3)]
    assert schedule(work, calendar=COMPANY, not_before=date(2026, 11, 28)) == {
        "a": Span(date(2026, 11, 30), date(2026, 12, 1)),
        "b": Span(date(2026, 11, 30), date(2026, 12, 2)),
        "c": Span(date(2026, 12, 2), date(2026, 12, 2)),
    }


@given(
    durations=st.lists(st.integers(1, 12), min_size=1, max_size=15),
    seed=st.randoms(use_true_random=False),
    not_before=st.dates(date(2026, 1, 1), date(2027, 10, 1)),
)
def test_no_task_is_planned_on_a_day_off_or_before_what_it_waits_for(
    durations: list[int], seed: Random, not_before: date
) -> None:
    work = [
        Step(str(number), days, [str(before) for before in range(number) if seed.random() < 0.3])
        for number, days in enumerate(durations)
    ]
    spans = schedule(reversed(work), calendar=COMPANY, not_before=not_before)
    for step in work:
        span = spans[step.code]
        days = [date.fromordinal(day) for day in range(span.start.toordinal(), span.finish.toordinal() + 1)]
        assert COMPANY.is_working(span.start) and COMPANY.is_working(span.finish)
        assert sum(map(COMPANY.is_working, days)) == step.duration_days
        assert span.start == max(
            (spans[before].finish for before in step.depends_on), default=COMPANY.first_from(not_before)
        )


def test_rule_28_a_cycle_is_found_at_any_depth_and_its_path_is_named() -> None:
    chain = {str(number): [str(number - 1)] for number in range(1, 200)}
    assert cycle_in(chain | {"0": []}) == []
    path = cycle_in(chain | {"0": ["199"]})
    assert path[0] == path[-1] and len(path) == 201
    assert cycle_in({"a": ["a"]}) == ["a", "a"]
