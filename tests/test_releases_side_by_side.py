"""During a roll-out a service hears others of another release: orders go on, and nothing is parked."""

import json
from typing import Any

import pytest

from five_services import FiveServices
from releases import RELEASES, as_told_then

LAST = max(version for version, _ in RELEASES)


def told_by_the_last_release(fact: dict[str, Any]) -> dict[str, Any]:
    """Without what came later, and without what it may leave out."""
    schema = RELEASES.get((LAST, fact["type"]))
    body: dict[str, Any] = json.loads(fact["body"])
    told: dict[str, Any] = as_told_then(body, schema, schema, only_required=False) if schema else body
    return told


def told_by_the_next_release(fact: dict[str, Any]) -> dict[str, Any]:
    """With a member more, in every object of it."""
    told: dict[str, Any] = _with_more(json.loads(fact["body"]))
    return told


def _with_more(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_more(member) for name, member in value.items()} | {"of_the_next_release": "more"}
    return [_with_more(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("rewritten", [told_by_the_last_release, told_by_the_next_release])
async def test_orders_go_on_while_every_fact_is_told_by_another_release(five: FiveServices, rewritten: Any) -> None:
    order_ids = await five.place(3)
    await five.approve(order_ids)
    while facts := await five.collect():
        told = [fact | {"body": json.dumps(rewritten(fact))} for fact in facts]
        for name in five.by_name:
            await five.hand_to(name, told)
    for name, service in five.by_name.items():
        assert await service.rows("SELECT consumer, key, reason FROM parked_keys") == [], name
        assert await service.told(topic=f"{name}.dead-letter") == [], name
    for name, table in (("project", "projects"), ("finance", "accounts"), ("gateway", "order_views")):
        rows = await five.by_name[name].rows(f"SELECT order_id FROM {table}")
        assert {str(row["order_id"]) for row in rows} >= set(order_ids), table


async def test_a_fact_of_a_kind_that_only_the_next_release_knows_stands_on_thread_and_timeline(
    five: FiveServices,
) -> None:
    (order_id,) = await five.place(1)
    await five.deliver()
    fact = next(fact for fact in five.told if fact["key"] == order_id)
    unknown = fact["headers"] | {"ce_type": "order.imagined.v1", "ce_id": "01a208a0-0000-7000-8000-000000000001"}
    for name in five.by_name:
        await five.hand_to(name, [fact | {"headers": unknown, "body": "{}"}])
    for name, table in (("order", "thread"), ("gateway", "timeline")):
        rows = await five.by_name[name].rows(f"SELECT type FROM {table} WHERE order_id = :id", id=order_id)
        assert "order.imagined.v1" in {row["type"] for row in rows}, table
