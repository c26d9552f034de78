"""The terms of an order body: the member that each due rule needs, and percents that are exactly 100 together."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.order_body import DAYS_MAX, TERMS_MAX, OrderBody

Json = dict[str, Any]
Location = tuple[str | int, ...]
DUE: dict[str, Json] = {
    "on_approval": {},
    "on_date": {"date": "2026-12-04"},
    "on_milestone": {"milestone": "review_passed"},
    "on_acceptance": {},
    "after_acceptance": {"days": 365},
}
MEMBERS: Json = {"date": "2026-12-04", "milestone": "review_passed", "days": 365}


def term(**members: Any) -> Json:
    return {"code": "all", "percent": "100", "due": "on_acceptance", **members}


def shares(*percents: Any) -> list[Json]:
    return [term(code=f"t{position}", percent=percent) for position, percent in enumerate(percents)]


def read(terms: Any) -> OrderBody:
    line = {"item": "支架", "quantity": "120", "unit": "件", "unit_price": "85.50"}
    order = {"external_id": "SO-1", "client": {"code": "C-1", "name": "海岳"}, "order_type": "machining"}
    return OrderBody.model_validate({**order, "title": "支架", "currency": "CNY", "lines": [line], "terms": terms})


def errors(terms: Any) -> list[Location]:
    """Where they are wrong, below `terms`; empty if they are taken."""
    try:
        read(terms)
    except ValidationError as invalid:
        assert {error["loc"][0] for error in invalid.errors()} == {"terms"}
        return [error["loc"][1:] for error in invalid.errors()]
    return []


@pytest.mark.parametrize("due", DUE)
def test_a_due_rule_is_taken_with_its_member(due: str) -> None:
    body = read([term(due=due, **DUE[due])])
    assert body.terms[0].model_dump(mode="json", exclude_unset=True) == term(due=due, **DUE[due])


@pytest.mark.parametrize("due", [due for due in DUE if DUE[due]])
def test_the_member_that_a_due_rule_needs_is_named_when_it_is_missing(due: str) -> None:
    assert errors([term(due=due)]) == [(0, *DUE[due])]


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("due", DUE)
def test_a_member_that_goes_with_another_due_rule_is_refused(due: str, member: str) -> None:
    expected = [] if member in DUE[due] else [(0, member)]
    assert errors([term(due=due, **{**DUE[due], member: MEMBERS[member]})]) == expected


@pytest.mark.parametrize("due", ["", "on_delivery", "ON_DATE", 1, ["on_date"], None, "\ud800"])
def test_an_unknown_due_rule_says_nothing_about_the_members_beside_it(due: Any) -> None:
    assert errors([term(due=due, date="2026-12-04")]) == [(0, "due")]


@pytest.mark.parametrize("value", [None, "", "2026-02-30", "2026-1-4", 20261204])
def test_the_date_of_a_term_exists(value: Any) -> None:
    assert errors([term(due="on_date", date=value)]) == [(0, "date")]


@pytest.mark.parametrize("value", [None, "", "x" * 65, "a\tb", 1])
def test_the_milestone_of_a_term_is_a_code(value: Any) -> None:
    assert errors([term(due="on_milestone", milestone=value)]) == [(0, "milestone")]


@pytest.mark.parametrize("value", ["", "x" * 65, "a\tb", "\ud800", 1])
def test_the_code_of_a_term_is_a_code(value: Any) -> None:
    assert errors([term(code=value)]) == [(0, "code")]
    assert errors([term(code="x" * 64)]) == []


def test_days_are_a_json_integer_from_0_to_3650() -> None:
    for taken in (0, DAYS_MAX):
        assert errors([term(due="after_acceptance", days=taken)]) == []
    for refused in (None, -1, DAYS_MAX + 1, "365", 365.0, True):
        assert errors([term(due="after_acceptance", days=refused)]) == [(0, "days")], refused


@pytest.mark.parametrize(
    "percents",
    [["100"], ["30", "60", "10"], ["33.333333", "33.333333", "33.333334"], ["0.000001", "99.999999"], ["100.000000"]],
)
def test_percents_that_add_up_to_exactly_100_are_taken(percents: list[str]) -> None:
    assert errors(shares(*percents)) == []


@pytest.mark.parametrize("percents", [["99.999999"], ["50", "50.000001"], ["30", "60"], ["100", "100"]])
def test_percents_that_do_not_are_an_error_of_all_terms(percents: list[str]) -> None:
    assert errors(shares(*percents)) == [()]


@pytest.mark.parametrize("percent", ["0", "0.000000"])
def test_a_percent_is_above_zero(percent: str) -> None:
    assert errors(shares("100", percent)) == [(1, "percent")]


@pytest.mark.parametrize("percent", [50, 50.0, True, "-50", "50.0000001", "5e1", "50%", "", None])
def test_a_percent_is_a_plain_string_and_nothing_is_added_up_without_it(percent: Any) -> None:
    assert errors(shares("50", percent)) == [(1, "percent")]


def test_a_percent_over_100_is_wrong_in_total() -> None:
    assert errors(shares("100.000001")) == [()]


def test_each_repeated_code_is_named() -> None:
    same = [term(code=code, percent="25") for code in ("a", "b", "a", "a")]
    assert errors(same) == [(2, "code"), (3, "code")]


def test_an_order_has_1_to_60_terms_or_leaves_them_to_its_type() -> None:
    assert errors(shares(*["1"] * 59, "41")) == []
    assert errors(shares(*["1"] * (TERMS_MAX + 1))) == [()]
    not_lists: list[Any] = [{}, "x", (term(),)]
    for refused in ([], *not_lists):
        assert errors(refused) == [()]


@pytest.mark.parametrize("value", [None, "x", 1, []])
def test_a_term_is_an_object(value: Any) -> None:
    assert errors([term(), value]) == [(1,)]
