"""Orders go through their life while parts of the stack are killed with -9."""

import asyncio
import os
import signal

import psutil

from journeys import an_order, eventually, life
from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway
from whole_stack import WholeStack

ORDERS = 6


async def is_healthy(whole_stack: WholeStack) -> bool:
    status = await asyncio.to_thread(lambda: whole_stack.status)
    return bool(status["healthy"]) and status["parked"] == 0


async def play_while_killing(
    whole_stack: WholeStack, gateway: Gateway, cast: Cast, names: list[str], *, pauses: list[float]
) -> None:
    """A few orders go through their life while each of `names` is killed once."""
    bodies = [an_order() for _ in range(ORDERS)]
    placed = [(await gateway.post(cast.seller, "/api/order/orders", body)).json() for body in bodies]
    playing = [asyncio.create_task(life(gateway, cast, order["order_id"]).play(lambda step: None)) for order in placed]
    for name, pause in zip(names, pauses, strict=True):
        await asyncio.sleep(pause)
        parts = await asyncio.to_thread(lambda: whole_stack.status["parts"])
        for pid in parts[name]["pids"]:
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)
    await asyncio.gather(*playing)
    await eventually(lambda: is_healthy(whole_stack), timeout_seconds=90)
    for order, body in zip(placed, bodies, strict=True):
        again = (await gateway.post(cast.seller, "/api/order/orders", body)).json()
        assert again["order_id"] == order["order_id"]
        entries = await gateway.all_pages(cast.reader, f"/api/order/orders/{order['order_id']}/thread")
        types = [entry["type"] for entry in entries]
        assert types.count("project.created.v1") == types.count("instalments.planned.v1") == 1
        assert types.count("invoice.issued.v1") == types.count("receipt.recorded.v1") >= 2
        assert types.count("instalment.paid.v1") == 3
    check = await gateway.get(cast.holder("finance_manager"), "/api/finance/ledger/check")
    assert check == []
