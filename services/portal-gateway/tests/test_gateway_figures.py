"""How the business stands is told in numbers."""

from datetime import date

import pytest
import time_machine
from gateway_world import DIRECTORY, ORDER, UNTIL_APPROVED, UNTIL_PLANNED, example, placed
from prometheus_client import REGISTRY

from contracts.order import OrderCancelled, OrderPlaced
from contracts.project import ProjectCreated
from portal.figures import watch_orders
from stack import Running


async def watch(gateway: Running) -> None:
    async with gateway.database.transaction() as session:
        await watch_orders(session)


def orders_by_status() -> dict[str, float]:
    """Their sum over types and stages."""
    counts: dict[str, float] = {}
    for metric in REGISTRY.collect():
        for sample in metric.samples:
            if sample.name == "orderloom_orders":
                status = sample.labels["status"]
                counts[status] = counts.get(status, 0) + sample.value
    return counts


async def test_orders_under_way_are_counted_and_those_that_are_over_are_not(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_APPROVED, placed(2), placed(3))
    await watch(gateway)
    assert orders_by_status() == {"approved": 1, "submitted": 2}
    await gateway.hear(example(OrderCancelled))
    await watch(gateway)
    assert orders_by_status() == {"submitted": 2}


@pytest.mark.parametrize("is_over", [False, True])
async def test_an_order_is_late_from_the_day_after_its_planned_end(gateway: Running, is_over: bool) -> None:
    planned_finish = example(ProjectCreated).planned_finish
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED)
    day = planned_finish.toordinal() + is_over
    with time_machine.travel(f"{date.fromordinal(day)}T04:00:00+00:00"):
        await watch(gateway)
    assert REGISTRY.get_sample_value("orderloom_orders_late", {"against": "plan"}) == is_over
    requested = example(OrderPlaced, order_id=ORDER).requested_date
    is_later = requested is not None and planned_finish > requested
    assert REGISTRY.get_sample_value("orderloom_orders_late", {"against": "wish"}) == is_later
