"""What an order's `fields` may hold: any JSON that can be kept and written again; its order type says the rest."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.order_body import FIELDS_LEVELS_MAX, OrderBody


def read(fields: Any) -> OrderBody:
    line = {"item": "支架", "quantity": "120", "unit": "件", "unit_price": "85.50"}
    order = {"external_id": "SO-1", "client": {"code": "C-1", "name": "海岳"}, "order_type": "machining"}
    return OrderBody.model_validate({**order, "title": "支架", "currency": "CNY", "lines": [line], "fields": fields})


def errors(fields: Any) -> list[tuple[str | int, ...]]:
    with pytest.raises(ValidationError) as invalid:
        read(fields)
    return [error["loc"] for error in invalid.value.errors()]


@pytest.mark.parametrize("fields", [{}, {"材料": "6061", "n": [1, 2.5, None, True, {"a": "多\n行"}]}])
def test_fields_may_hold_any_json(fields: Any) -> None:
    assert read(fields).fields == fields


@pytest.mark.parametrize("fields", [None, [], "x", 1])
def test_fields_are_an_object(fields: Any) -> None:
    assert errors(fields) == [("fields",)]


@pytest.mark.parametrize("value", ["\ud800", "a\0b", float("inf"), float("nan")])
def test_what_could_not_be_kept_is_named_where_it_is(value: Any) -> None:
    assert errors({"a": [{"b": value}]}) == [("fields", "a", 0, "b")]


def test_a_name_can_be_kept_as_well() -> None:
    assert errors({"a\0": 1}) == [("fields", "a\0")]
    assert [location[0] for location in errors({"\ud800": 1})] == ["fields"]


def test_there_are_at_most_32_levels_and_all_of_them_can_be_written_again() -> None:
    nested: Any = "x"
    for _ in range(FIELDS_LEVELS_MAX - 1):
        nested = [nested]
    assert read({"a": nested}).model_dump_json()
    assert errors({"a": [nested]}) == [("fields", "a", *[0] * (FIELDS_LEVELS_MAX - 1))]
