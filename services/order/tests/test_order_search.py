"""Searching the list of orders: any part of number, external id or title, however old the order is."""

from typing import Any

import pytest
from sqlalchemy import Text, literal, select, text

from chassis import search
from order.models import Order
from order.models.order import SEARCHED
from order_world import ORDER, SALES, ready
from stack import Running

TITLES = ("120 Brackets, 5% off", "支架 for a press", "A shaft_x", "a SHAFT of steel", "120 brackets")


@pytest.fixture
async def filled(order_service: Running) -> Running:
    await ready(order_service)
    for number, title in enumerate(TITLES):
        body = ORDER | {"external_id": f"ERP-{number}", "title": title}
        answer = await order_service.post("/orders", SALES, json=body)
        assert answer.status_code == 201, answer.text
    return order_service


async def found(order_service: Running, part: str, **more: Any) -> list[str]:
    answer = await order_service.get("/orders", SALES, params={"search": part} | more)
    assert answer.status_code == 200, answer.text
    return [row["title"] for row in answer.json()["items"]]


@pytest.mark.parametrize("newest_rows", [search.NEWEST_ROWS, 1])
async def test_a_part_of_a_text_is_found_among_the_newest_and_among_the_rest(
    filled: Running, newest_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "NEWEST_ROWS", newest_rows)
    assert await found(filled, "shaft") == ["a SHAFT of steel", "A shaft_x"]
    assert await found(filled, "BRACKETS") == ["120 brackets", "120 Brackets, 5% off"]
    assert await found(filled, "支架") == ["支架 for a press"]
    assert await found(filled, "支架 for") == ["支架 for a press"]
    assert await found(filled, "erp-2") == ["A shaft_x"]
    assert await found(filled, "no such order") == []


async def test_signs_of_patterns_are_letters_like_others(filled: Running) -> None:
    assert await found(filled, "5% o") == ["120 Brackets, 5% off"]
    assert await found(filled, "shaft_") == ["A shaft_x"]
    assert await found(filled, "t_o") == []
    assert await found(filled, "/") == []


async def test_what_stands_in_two_columns_is_not_found_as_one(filled: Running) -> None:
    assert await found(filled, "ERP-1支架") == []


async def test_pages_of_a_search_are_as_without_one(filled: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "NEWEST_ROWS", 1)
    answer = await filled.get("/orders", SALES, params={"search": "erp-", "limit": 2})
    page = answer.json()
    assert [row["title"] for row in page["items"]] == ["120 brackets", "a SHAFT of steel"]
    assert await found(filled, "erp-", limit=2, cursor=page["next_cursor"]) == ["A shaft_x", "支架 for a press"]


async def test_the_index_is_the_one_that_a_search_uses(filled: Running) -> None:
    asked = select(Order.order_id).where(search.trigrams(SEARCHED).contains(search.trigrams(literal("erp-1", Text))))
    async with filled.database.transaction() as session:
        statement = asked.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join((await session.scalars(text(f"EXPLAIN {statement}"))).all())
    assert "orders_search_ix" in plan
