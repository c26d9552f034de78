"""What the demo leaves for the pages: orders where somebody has something to do."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from journeys import eventually
from orderloom.demo import under_way
from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway

pytestmark = pytest.mark.xdist_group("e2e")

ZONE = ZoneInfo("Asia/Shanghai")
STANDS = {
    "submitted": ("submitted", False),
    "approved": ("approved", False),
    "working": ("approved", False),
    "blocked": ("approved", False),
    "held": ("on_hold", False),
    "delivered": ("approved", True),
    "unpaid": ("delivered", False),
}
"""By how far an order gets, its status, and whether it waits for its client."""


async def test_orders_are_left_where_people_have_something_to_do_and_stay_there(gateway: Gateway, cast: Cast) -> None:
    left = under_way.orders(under_way.today_in(ZONE))

    async def are_as_left() -> bool:
        known = await gateway.all_pages(cast.reader, "/work/orders", search="UW-")
        stand = {each["external_id"]: each for each in known}
        assert len(stand) == len(known) == len(left)
        return all(_is_as_left(stand[each["order"]["external_id"]], each) for each in left)

    for _ in ("the first time", "again"):
        assert await under_way.leave(gateway, cast, zone=ZONE, at_once=4) == len(left)
        assert await eventually(are_as_left)


def _is_as_left(order: dict[str, Any], left: dict[str, Any]) -> bool:
    stands = (order["status"], order["sign_off_possible"])
    return stands == STANDS[left["until"]] and order["tasks_finished"] == left.get("tasks", order["tasks_finished"])
