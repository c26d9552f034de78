"""The stage flow and the ladder, as they are written."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from contracts.directory import Stage
from contracts.money import Money
from facts import NAME, task
from order.ladder import Rung, steps_for
from order.workflow import Progress

STAGES = tuple(
    Stage(code=code, name=NAME, owner_role="x", exits=exits)
    for code, exits in (
        ("first", ("order.approved", "stage_tasks_finished")),
        ("empty", ("stage_tasks_finished",)),
        ("checked", ("stage_tasks_finished", "inspection.passed")),
        ("last", ("delivery.accepted",)),
    )
)


def test_a_stage_without_tasks_is_finished_only_when_the_project_is_known() -> None:
    progress = Progress()
    progress.learn("order.approved", "e1")
    assert progress.missing(STAGES[0]) == ("stage_tasks_finished",)
    progress.plan([], "e2")
    assert [step.to_stage for step in progress.advance(STAGES, "first")] == ["empty", "checked", "last"]


def test_an_advance_names_the_events_that_made_its_facts_true() -> None:
    progress, first = Progress(), task("first")
    progress.learn("order.approved", "e1")
    progress.plan([first, task("checked", inspection=True)], "e2")
    progress.finish(str(first.id), stage="first", event_id="e3")
    steps = progress.advance(STAGES, "first")
    assert [(step.to_stage, step.because) for step in steps] == [("empty", ("e1", "e3")), ("checked", ("e2",))]
    assert steps[-1].waiting_for == ("stage_tasks_finished", "inspection.passed")


def test_a_later_failed_inspection_takes_the_fact_back() -> None:
    progress, checked = Progress(), task("checked", inspection=True)
    progress.plan([checked], "e1")
    progress.inspect(str(checked.id), result="passed", event_id="e2")
    progress.inspect(str(checked.id), result="failed", event_id="e3")
    progress.finish(str(checked.id), stage="checked", event_id="e4")
    assert progress.missing(STAGES[2]) == ("inspection.passed",)
    progress.inspect("another task", result="passed", event_id="e5")
    assert progress.missing(STAGES[2]) == ("inspection.passed",)


@given(st.permutations(range(4)))
def test_rule_39_the_order_of_finished_tasks_does_not_matter(order: list[int]) -> None:
    tasks = [task("first"), task("first"), task("checked", inspection=True), task("checked")]
    progress = Progress()
    progress.learn("order.approved", "e")
    progress.plan(tasks, "e")
    stage = "first"
    for position in order:
        done = tasks[position]
        progress.finish(str(done.id), stage=done.stage, event_id="e")
        progress.finish(str(done.id), stage=done.stage, event_id="e")
        stage = next((step.to_stage for step in reversed(progress.advance(STAGES, stage))), stage)
    progress.inspect(str(tasks[2].id), result="passed", event_id="e")
    assert next(step.to_stage for step in reversed(progress.advance(STAGES, stage))) == "last"


RUNGS = [Rung("a", Decimal(0)), Rung("b", Decimal(1000)), Rung("c", Decimal(50000))]


def roles(amount: str, currency: str) -> list[str]:
    total = Money.rounded(Decimal(amount), currency)
    steps = steps_for(total, rungs=RUNGS, company_currency="CNY", rates={"EUR": Decimal("8.2")})
    assert [step.step for step in steps] == list(range(1, len(steps) + 1))
    return [step.role for step in steps]


def test_the_ladder_goes_by_what_an_order_is_worth_in_the_companys_currency() -> None:
    assert roles("0", "CNY") == ["a"]
    assert roles("1000", "CNY") == ["a"]
    assert roles("1000.01", "CNY") == ["a", "b"]
    assert roles("122", "EUR") == ["a", "b"]
    assert roles("1", "USD") == ["a", "b", "c"]  # without a rate, everyone
