"""What the journeys share: orders of their own, and waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import uuid4
from zoneinfo import ZoneInfo

from orderloom.demo.cast import Cast
from orderloom.demo.life import Life
from orderloom.gateway import Gateway

T = TypeVar("T")
ZONE = ZoneInfo("Asia/Shanghai")


def an_order(**changes: Any) -> dict[str, Any]:
    """A machining order under an external id of its own."""
    order: dict[str, Any] = {
        "external_id": f"J-{uuid4()}",
        "client": {"code": "C-JOURNEY", "name": "Journey Works"},
        "order_type": "machining",
        "title": "Brackets for a journey",
        "currency": "CNY",
        "lines": [
            {"item": "BRKT", "quantity": "12", "unit": "pcs", "unit_price": "38.505", "tax_rate": "0.13"},
            {"item": "FREIGHT", "quantity": "1", "unit": "lot", "unit_price": "99.995", "tax_rate": "0.09"},
        ],
        "fields": {"material": "6061-T6", "drawing_no": "D-1"},
        "terms": [
            {"code": "advance", "percent": "30", "due": "on_approval"},
            {"code": "made", "percent": "30", "due": "on_milestone", "milestone": "production_finished"},
            {"code": "rest", "percent": "40", "due": "on_acceptance"},
        ],
    }
    return order | changes


async def placed(gateway: Gateway, cast: Cast, **changes: Any) -> dict[str, Any]:
    answer = await gateway.post(cast.seller, "/api/order/orders", an_order(**changes))
    order: dict[str, Any] = answer.json()
    return order


async def approved(gateway: Gateway, cast: Cast, order_id: str) -> str:
    """Approve it as everyone whose turn it is; return the id of the last event."""
    event_id = ""
    while (order := await gateway.get(cast.reader, f"/api/order/orders/{order_id}"))["status"] == "submitted":
        role = order["approval_steps"][order["step"] - 1]["role"]
        answer = await gateway.post(cast.holder(role), f"/api/order/orders/{order_id}/approval")
        event_id = answer.headers["Orderloom-Event"]
    return event_id


def life(gateway: Gateway, cast: Cast, order_id: str) -> Life:
    return Life(gateway, cast, order_id, zone=ZONE)


async def eventually(look: Callable[[], Awaitable[T]], *, timeout_seconds: float = 60) -> T:
    """What `look` finds, as soon as it finds something."""
    async with asyncio.timeout(timeout_seconds):
        while not (found := await look()):
            await asyncio.sleep(0.05)
        return found
