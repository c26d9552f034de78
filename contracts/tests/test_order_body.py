"""The order body: what it needs, what it takes, every limit at its edge, and where each error is said to be."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.order_body import LINES_MAX, HttpOrderBody, OrderBody

Json = dict[str, Any]
Location = tuple[str | int, ...]
LONGEST = {"text": 200, "code": 64, "description": 2000}


def line(**members: Any) -> Json:
    return {"item": "支架 bracket", "quantity": "120", "unit": "件", "unit_price": "85.50", **members}


def term(**members: Any) -> Json:
    return {"code": "all", "percent": "100", "due": "on_acceptance", **members}


def order(**members: Any) -> Json:
    smallest = {
        "external_id": "SO-1",
        "client": {"code": "C-1", "name": "海岳"},
        "order_type": "machining",
        "title": "支架",
        "currency": "CNY",
        "lines": [line()],
    }
    return {**smallest, **members}


def without(body: Json, member: str) -> Json:
    return {name: value for name, value in body.items() if name != member}


def errors(body: Any, kind: type[OrderBody] = OrderBody) -> list[Location]:
    """Where `body` is wrong, in reading order; empty if it is taken."""
    try:
        kind.model_validate(body)
    except ValidationError as invalid:
        return [error["loc"] for error in invalid.errors()]
    return []


def at(location: Location, value: Any) -> Json:
    """An order that is right but for `value` at `location`."""
    body = order(terms=[term()])
    place: Any = body
    for step in location[:-1]:
        place = place[step]
    place[location[-1]] = value
    return body


def test_the_smallest_order_is_taken_and_says_what_was_left_out() -> None:
    body = OrderBody.model_validate(order())
    assert (body.priority, body.requested_date, body.fields, body.terms) == (3, None, {}, [])
    assert (body.client.tax_id, body.lines[0].description, body.lines[0].billing_method) == (None, "", "fixed")
    assert (body.lines[0].discount, body.lines[0].tax_rate) == (Decimal(0), Decimal(0))


@pytest.mark.parametrize("member", ["external_id", "client", "order_type", "title", "currency", "lines"])
def test_a_missing_member_is_named(member: str) -> None:
    assert errors(without(order(), member)) == [(member,)]


@pytest.mark.parametrize("member", ["code", "name"])
def test_a_missing_member_of_the_client_is_named(member: str) -> None:
    assert errors(order(client=without(order()["client"], member))) == [("client", member)]


@pytest.mark.parametrize("member", ["item", "quantity", "unit", "unit_price"])
def test_a_missing_member_of_a_line_is_named(member: str) -> None:
    assert errors(order(lines=[line(), without(line(), member)])) == [("lines", 1, member)]


@pytest.mark.parametrize("member", ["code", "percent", "due"])
def test_a_missing_member_of_a_term_is_named(member: str) -> None:
    assert errors(order(terms=[without(term(), member)])) == [("terms", 0, member)]


@pytest.mark.parametrize(
    "location",
    [("colour",), ("draft",), ("client", "colour"), ("lines", 0, "colour"), ("terms", 0, "colour"), ("a/b~c",)],
)
def test_an_unknown_member_is_named(location: Location) -> None:
    assert errors(at(location, 1)) == [location]


def test_every_error_is_named_in_one_reading() -> None:
    terms = [term(code="", percent="90"), term(code="x", percent="5", due="on_date"), term(code="x", percent="4")]
    body = order(title="", lines=[line(quantity="0"), line(unit="")], terms=terms, colour="red")
    assert set(errors(without(body, "client"))) == {
        ("client",),
        ("title",),
        ("lines", 0, "quantity"),
        ("lines", 1, "unit"),
        ("terms", 0, "code"),
        ("terms", 1, "date"),
        ("terms",),
        ("terms", 2, "code"),
        ("colour",),
    }


def test_what_is_no_object_is_wrong_as_a_whole() -> None:
    assert errors(None) == errors([order()]) == errors("order") == [()]


def test_null_is_taken_where_it_means_not_known() -> None:
    assert errors(at(("client", "tax_id"), None)) == errors(at(("requested_date",), None)) == []


@pytest.mark.parametrize(
    "location",
    [
        *((name,) for name in ("external_id", "client", "order_type", "title", "currency", "lines")),
        *((name,) for name in ("priority", "fields", "terms")),
        *(("client", name) for name in ("code", "name")),
        *(("lines", 0, name) for name in ("item", "quantity", "unit", "unit_price")),
        *(("lines", 0, name) for name in ("description", "discount", "tax_rate", "billing_method")),
        ("lines", 0),
    ],
)
def test_null_is_refused_everywhere_else(location: Location) -> None:
    assert errors(at(location, None)) == [location]


@pytest.mark.parametrize("member", ["code", "percent", "due", "date", "milestone", "days"])
def test_null_is_refused_in_a_term(member: str) -> None:
    assert errors(order(terms=[term(**{member: None})])) == [("terms", 0, member)]


@pytest.mark.parametrize(
    "value", [120, 120.0, True, "", " 1", "1 ", "1\n", "+1", "-1", ".5", "1.", "1e3", "1,000", "١٢", "NaN"]
)
@pytest.mark.parametrize("member", ["quantity", "unit_price", "discount", "tax_rate"])
def test_a_number_is_a_plain_string_of_ascii_digits(member: str, value: Any) -> None:
    assert errors(order(lines=[line(**{member: value})])) == [("lines", 0, member)]


@pytest.mark.parametrize(
    ("member", "taken", "refused"),
    [
        ("quantity", ["0.000001", "1000000000", "0120"], ["0", "0.000000", "1000000000.000001", "0.0000001"]),
        ("unit_price", ["0", "1000000000"], ["1000000000.000001", "0.0000001"]),
        ("discount", ["0", "1", "1.000000"], ["1.000001", "0.0000001"]),
        ("tax_rate", ["0", "1", "0.13"], ["1.000001", "13"]),
    ],
)
def test_a_number_is_taken_up_to_its_limits(member: str, taken: list[str], refused: list[str]) -> None:
    for value in taken:
        assert errors(order(lines=[line(**{member: value})])) == [], value
    for value in refused:
        assert errors(order(lines=[line(**{member: value})])) == [("lines", 0, member)], value


def test_a_number_keeps_the_digits_that_were_written() -> None:
    body = OrderBody.model_validate(order(lines=[line(quantity="120.0")]))
    assert json.loads(body.model_dump_json())["lines"][0]["quantity"] == "120.0"


def test_a_date_that_exists_is_taken() -> None:
    for value in ("2026-12-04", "2028-02-29", "0001-01-01", "9999-12-31"):
        assert errors(order(requested_date=value)) == []


@pytest.mark.parametrize(
    "value",
    ["", "2026-02-30", "2027-02-29", "0000-01-01", "2026-1-4", "20261204", "2026-12-04T00:00:00Z", "2026-12-04\n", 0],
)
def test_any_other_date_is_refused(value: Any) -> None:
    assert errors(order(requested_date=value)) == [("requested_date",)]


def test_a_priority_is_a_json_integer_from_1_to_5() -> None:
    for taken in (1, 5):
        assert errors(order(priority=taken)) == []
    for refused in (0, 6, "3", 3.0, True, 10**30):
        assert errors(order(priority=refused)) == [("priority",)], refused


def test_a_currency_is_one_of_iso_4217_that_has_a_smallest_unit() -> None:
    for taken in ("CNY", "JPY", "KWD", "CLF"):
        assert errors(order(currency=taken)) == []
    for refused in ("cny", "RMB", "XAU", "XXX", "", "CNY ", "\ud800", 156):
        assert errors(order(currency=refused)) == [("currency",)]


def test_a_billing_method_is_one_of_four() -> None:
    for method in ("fixed", "milestone", "time_and_materials", "progress"):
        assert errors(order(lines=[line(billing_method=method)])) == []
        assert errors(order(lines=[line(billing_method=method.upper())])) == [("lines", 0, "billing_method")]


TEXTS: list[tuple[Location, str]] = [
    (("external_id",), "text"),
    (("client", "code"), "code"),
    (("client", "name"), "text"),
    (("client", "tax_id"), "text"),
    (("order_type",), "code"),
    (("title",), "text"),
    (("lines", 0, "item"), "text"),
    (("lines", 0, "unit"), "text"),
]


@pytest.mark.parametrize(("location", "kind"), TEXTS)
def test_a_text_has_1_to_as_many_characters_as_its_kind(location: Location, kind: str) -> None:
    for longest in ("支" * LONGEST[kind], "🔩" * LONGEST[kind], "x"):
        assert errors(at(location, longest)) == []
    for value in ("", "x" * (LONGEST[kind] + 1), 1, True, ["x"]):
        assert errors(at(location, value)) == [location]


@pytest.mark.parametrize("character", ["\0", "\n", "\r", "\t", "\x1f", "\x7f", "\x85", "\ud800", "\udfff"])
@pytest.mark.parametrize(("location", "kind"), TEXTS)
def test_a_text_holds_no_control_character_and_no_lone_surrogate(location: Location, kind: str, character: str) -> None:
    assert errors(at(location, f"a{character}b")) == [location]


def test_a_description_may_be_empty_long_and_hold_line_breaks() -> None:
    for taken in ("", "一\n二\r\n三", "x" * LONGEST["description"]):
        assert errors(order(lines=[line(description=taken)])) == []
    for refused in ("x" * (LONGEST["description"] + 1), "a\tb", "a\0b", "a\ud800b", 1):
        assert errors(order(lines=[line(description=refused)])) == [("lines", 0, "description")]


def test_an_order_has_1_to_500_lines() -> None:
    assert errors(order(lines=[line()] * LINES_MAX)) == []
    not_lists: list[Any] = [{}, "x", (line(),)]
    for refused in ([], [line()] * (LINES_MAX + 1), *not_lists):
        assert errors(order(lines=refused)) == [("lines",)]
    assert errors(order(lines=[line(), "x"])) == [("lines", 1)]


def test_over_http_the_external_id_may_be_missing_and_draft_may_be_there() -> None:
    body = HttpOrderBody.model_validate(without(order(draft=True), "external_id"))
    assert (body.external_id, body.draft) == ("", True)
    assert HttpOrderBody.model_validate(order()).draft is False
    assert errors(order(external_id=""), HttpOrderBody) == [("external_id",)]
    for value in (None, 1, "true"):
        assert errors(order(draft=value), HttpOrderBody) == [("draft",)]
    assert errors(order(colour=1), HttpOrderBody) == [("colour",)]
