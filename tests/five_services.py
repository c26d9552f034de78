"""The five services without the bus between them: facts are carried from outbox to inbox, batch by batch, by hand.

So what a request or a fact costs can be counted: the same work is always done in the same batches.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import project_world

import finance.app
import notify.app
import order.app
import order_world
import portal.app
import project.app
from chassis.application import Service
from orderloom.parts import Parts
from portal.forwarding import Services
from stack import Running, Who, running, template_database

SERVICES: tuple[Service, ...] = tuple(
    module.service for module in (order.app, project.app, finance.app, notify.app, portal.app)
)
SELLER = Who("wang.lin", ("sales",))
APPROVER = Who("li.qiang", ("sales_manager",))
ROUNDS_MAX = 20


@dataclass
class FiveServices:
    """Each on a database of its own; what they told so far, the oldest first."""

    by_name: dict[str, Running]
    told: list[dict[str, Any]] = field(default_factory=list)
    carried: dict[str, int] = field(default_factory=dict)

    async def place(self, count: int, **changes: Any) -> list[str]:
        """The ids of new orders, of whom nobody has heard yet."""
        order_ids = []
        for _ in range(count):
            body = {k: v for k, v in order_world.ORDER.items() if k != "external_id"} | changes
            answer = await self.by_name["order"].post("/orders", SELLER, json=body)
            assert answer.status_code == 201, answer.text
            order_ids.append(answer.json()["order_id"])
        return order_ids

    async def approve(self, order_ids: Sequence[str]) -> None:
        for order_id in order_ids:
            answer = await self.by_name["order"].post(f"/orders/{order_id}/approval", APPROVER, json={})
            assert answer.status_code == 200, answer.text

    async def deliver(self) -> int:
        """Let every service read, batch by batch, until nobody has anything to tell. Return how many rounds it took."""
        for rounds in range(ROUNDS_MAX):
            facts = await self.collect()
            if not facts:
                return rounds
            for name in self.by_name:
                await self.hand_to(name, facts)
        raise AssertionError(f"After {ROUNDS_MAX} rounds there is still something told.")

    async def collect(self) -> list[dict[str, Any]]:
        """What was told since the last time, in the order in which it became true."""
        facts: list[dict[str, Any]] = []
        for name, service in self.by_name.items():
            rows = await service.rows(
                "SELECT * FROM outbox WHERE position > :last ORDER BY position", last=self.carried.get(name, 0)
            )
            self.carried[name] = rows[-1]["position"] if rows else self.carried.get(name, 0)
            facts += rows
        facts.sort(key=lambda fact: fact["recorded_at"])
        self.told += facts
        return facts

    async def hand_to(self, name: str, facts: Sequence[dict[str, Any]]) -> None:
        """In one batch, as far as the service listens to their topics."""
        service = self.by_name[name]
        wanted = [fact for fact in facts if fact["topic"] in service.worker.inbox.topics]
        await service.worker.inbox.apply_all([self._record(service, fact) for fact in wanted])

    def stand_behind_gateway(self) -> None:
        """The gateway asks the other four, as it does over HTTP."""
        behind = {name: service for name, service in self.by_name.items() if name != "gateway"}
        transports = {name: httpx.ASGITransport(each.api, raise_app_exceptions=False) for name, each in behind.items()}
        self.by_name["gateway"].api.state.services = Services(
            {name: f"http://{name}" for name in behind}, transport=_ByHost(transports)
        )

    def _record(self, service: Running, fact: dict[str, Any]) -> Any:
        headers = fact["headers"] | {"ce_time": fact["recorded_at"].isoformat()}
        return service.raw_record(fact["topic"], fact["key"].encode(), fact["body"].encode(), headers)


@asynccontextmanager
async def running_five(parts: Parts, folder: Path, signing_key: Path) -> AsyncIterator[FiveServices]:
    """With the defaults and the demo people, and one order behind them: every cache is filled."""
    more: dict[str, dict[str, Any]] = {"gateway": {"signing_key": signing_key}}
    async with AsyncExitStack() as stack:
        by_name = {}
        for service in SERVICES:
            template = await template_database(parts, service)
            alone = running(service, parts, template=template, folder=folder, **more.get(service.name, {}))
            by_name[service.name] = await stack.enter_async_context(alone)
        five = FiveServices(by_name)
        await _install_defaults(five)
        await five.approve(await five.place(1))
        await five.deliver()
        yield five


async def _install_defaults(five: FiveServices) -> None:
    await order_world.ready(five.by_name["order"])
    await project_world.ready(five.by_name["project"])
    await five.by_name["notify"].hear(*project_world.users())
    await five.deliver()


class _ByHost(httpx.AsyncBaseTransport):
    def __init__(self, transports: Mapping[str, httpx.ASGITransport]) -> None:
        self._transports = transports

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transports[request.url.host].handle_async_request(request)
