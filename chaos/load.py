"""Orders of many shapes, through their whole life, as people and an ERP bring them; and what was acknowledged."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from chaos.erp import Erp
from orderloom.demo.cast import Cast
from orderloom.demo.life import Life, Stuck
from orderloom.gateway import Gateway, Refused

ZONE = ZoneInfo("Asia/Shanghai")
AT_ONCE = 6
RETRY_SECONDS = 0.5
ERP_SHARE = 0.25
CANCELLED_SHARE = 0.08
HELD_SHARE = 0.1
CLIENTS = 60
"""Many, so that companies and their people are made known all the while."""

TYPES: dict[str, dict[str, Any]] = {
    "machining": {"material": "6061-T6", "drawing_no": "D-1"},
    "it-outsourcing": {"scope": "A portal", "contract_kind": "fixed_price"},
}
TERMS: list[list[dict[str, Any]]] = [
    [{"code": "all", "percent": "100", "due": "on_acceptance"}],
    [
        {"code": "advance", "percent": "33.3", "due": "on_approval"},
        {"code": "rest", "percent": "66.7", "due": "on_acceptance"},
    ],
    [
        {"code": "advance", "percent": "30", "due": "on_approval"},
        {"code": "done", "percent": "60", "due": "on_acceptance"},
        {"code": "retention", "percent": "10", "due": "after_acceptance", "days": 365},
    ],
]


@dataclass
class Placed:
    """An order that was acknowledged, and what became of it as those who acted were told."""

    order_id: str
    body: dict[str, Any]
    outcome: str = "under way"
    refusals: list[str] = field(default_factory=list)


class Load:
    """Keeps AT_ONCE orders under way until it is told that it is enough, then brings all to their end."""

    def __init__(self, gateway: Gateway, erp: Erp | None, randomness: random.Random) -> None:
        """Without `erp`, people place every order."""
        self.placed: list[Placed] = []
        self.failures: list[str] = []
        self.enough = asyncio.Event()
        self._gateway = gateway
        self._cast = Cast(gateway)
        self._erp = erp
        self._randomness = randomness
        self._count = 0

    async def run(self) -> None:
        await asyncio.gather(*(self._one_after_another() for _ in range(AT_ONCE)))

    async def _one_after_another(self) -> None:
        while not self.enough.is_set():
            try:
                await self._one()
            except Exception as reason:
                self.failures.append(f"{reason!r}")
                await asyncio.sleep(RETRY_SECONDS)

    async def _one(self) -> None:
        body, fate = self._an_order(), self._randomness.random()
        placed = Placed(await self._place(body), body)
        self.placed.append(placed)
        if fate < CANCELLED_SHARE:
            return await self._cancel(placed)
        if fate < CANCELLED_SHARE + HELD_SHARE:
            await self._hold_and_resume(placed)
        await self._play(placed)

    async def _place(self, body: dict[str, Any]) -> str:
        if self._erp and self._randomness.random() < ERP_SHARE:
            return await self._erp.place(body, times=self._randomness.choice([1, 1, 2, 3]))
        answer = await self._gateway.post(self._cast.seller, "/api/order/orders", body)
        return str(answer.json()["order_id"])

    async def _play(self, placed: Placed) -> None:
        """Whoever was interrupted looks again and goes on from there."""
        while True:
            try:
                await Life(self._gateway, self._cast, placed.order_id, zone=ZONE).play(lambda step: None)
                placed.outcome = "paid"
                return
            except (Stuck, Refused, httpx.HTTPError) as reason:
                placed.refusals.append(str(reason))
                await asyncio.sleep(RETRY_SECONDS)

    async def _cancel(self, placed: Placed) -> None:
        manager, path = self._cast.holder("sales_manager"), f"/api/order/orders/{placed.order_id}"
        reason = {"reason": "The client withdrew."}
        await self._until_done(placed, manager, f"{path}/cancellation", reason, status="cancelled")
        placed.outcome = "cancelled"

    async def _hold_and_resume(self, placed: Placed) -> None:
        manager, path = self._cast.holder("sales_manager"), f"/api/order/orders/{placed.order_id}"
        while (order := await self._look(placed, manager))["status"] == "submitted":
            step = order["approval_steps"][order["step"] - 1]
            approver = self._cast.holder(step["role"], other_than=order["requester"])
            decision = {"step": step["step"]}
            with suppress(Refused):  # taken already: the answer was lost
                await self._gateway.post(approver, f"{path}/approval", decision)
        reason = {"reason": "The drawing changes."}
        await self._until_done(placed, manager, f"{path}/hold", reason, status="on_hold")
        await asyncio.sleep(self._randomness.uniform(0, 1))
        await self._until_done(placed, manager, f"{path}/resumption", reason, status="approved")

    async def _until_done(self, placed: Placed, user: str, path: str, body: dict[str, Any], *, status: str) -> None:
        while (await self._look(placed, user))["status"] != status:
            try:
                await self._gateway.post(user, path, body)
            except (Refused, httpx.HTTPError) as reason:
                placed.refusals.append(str(reason))
                await asyncio.sleep(RETRY_SECONDS)

    async def _look(self, placed: Placed, user: str) -> dict[str, Any]:
        while True:
            try:
                order: dict[str, Any] = await self._gateway.get(user, f"/api/order/orders/{placed.order_id}")
                return order
            except (Refused, httpx.HTTPError) as reason:
                placed.refusals.append(str(reason))
                await asyncio.sleep(RETRY_SECONDS)

    def _an_order(self) -> dict[str, Any]:
        self._count += 1
        randomness = self._randomness
        order_type = randomness.choice(list(TYPES))
        lines = [
            {
                "item": f"ITEM-{number}",
                "quantity": str(randomness.randint(1, 500)),
                "unit": "pcs",
                "unit_price": f"{randomness.randint(1, 999_999) / 1000:.3f}",
                "tax_rate": randomness.choice(["0", "0.06", "0.13"]),
            }
            for number in range(randomness.randint(1, 5))
        ]
        return {
            "external_id": f"CHAOS-{randomness.getrandbits(64):016x}",
            "client": {"code": f"C-{randomness.randint(1, CLIENTS)}", "name": "A client of the trial"},
            "order_type": order_type,
            "title": f"Order {self._count} of the trial",
            "currency": "CNY",
            "fields": TYPES[order_type],
            "lines": lines,
            "terms": randomness.choice(TERMS),
        }
