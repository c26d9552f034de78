"""The orders of the load: three lines, one approval, and what must be there when an order has reached everything."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from bench.stack import APPROVER, READER, SELLER
from bench.wire import Client, Unexpected

CLIENTS = 8
POLL_SECONDS = 0.018
PATIENCE_SECONDS = 120.0
TASKS, INSTALMENTS = 12, 3
TOLD = {"order.placed.v1", "order.approved.v1", "project.created.v1", "instalments.planned.v1", "notice.given.v1"}
BODY: dict[str, Any] = {
    "client": {"code": "C-BENCH", "name": "Bench Works"},
    "order_type": "machining",
    "title": "An order of the bench",
    "currency": "CNY",
    "lines": [
        {"item": f"ITEM-{number}", "quantity": "12", "unit": "pcs", "unit_price": "38.505", "tax_rate": "0.13"}
        for number in range(3)
    ],
    "fields": {"material": "6061-T6", "drawing_no": "D-1"},
}
Addresses = dict[str, str]
Tokens = dict[str, str]


async def place(client: Client, addresses: Addresses, tokens: Tokens) -> str:
    """The id of a new order."""
    answer = await client.post(f"{addresses['order']}/orders", tokens[SELLER], BODY)
    return str(answer.json()["order_id"])


async def place_and_approve(client: Client, addresses: Addresses, tokens: Tokens) -> str:
    order_id = await place(client, addresses, tokens)
    (await client.post(f"{addresses['order']}/orders/{order_id}/approval", tokens[APPROVER], {})).json()
    return order_id


async def by_all_clients(seconds: float, do: Callable[[], Awaitable[str]]) -> list[str]:
    """What `do` returned, done again and again for `seconds` by each of the clients."""
    until, done = time.monotonic() + seconds, []

    async def client() -> None:
        while time.monotonic() < until:
            done.append(await do())

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return done


async def until_all_is_readable(client: Client, addresses: Addresses, tokens: Tokens, order_id: str) -> None:
    """Project, tasks, instalments, notices, thread and view of the order, each asked for until it is there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for url, is_there in _looks(addresses, order_id):
        while True:
            answer = await client.get(url, tokens[READER])
            if answer.status == 200 and is_there(answer.json()):
                break
            if time.monotonic() > deadline:
                raise Unexpected(f"{url} does not show it after {PATIENCE_SECONDS:.0f} s: {answer.body[:300]!r}")
            await asyncio.sleep(POLL_SECONDS)


def _looks(addresses: Addresses, order_id: str) -> Iterator[tuple[str, Callable[[Any], bool]]]:
    yield f"{addresses['project']}/orders/{order_id}/project", _has_its_tasks
    yield f"{addresses['finance']}/orders/{order_id}/account", lambda found: len(found["instalments"]) == INSTALMENTS
    yield f"{addresses['notify']}/orders/{order_id}/notices/counts", lambda found: all(found.values())
    yield f"{addresses['order']}/orders/{order_id}/thread", _has_everything_told
    yield f"{addresses['gateway']}/work/orders/{order_id}", _is_shown_whole


def _has_its_tasks(project: Any) -> bool:
    return len(project["tasks"]) == TASKS and all(task["assignee"] or task["queue"] for task in project["tasks"])


def _has_everything_told(thread: Any) -> bool:
    return {entry["type"] for entry in thread["items"]} >= TOLD


def _is_shown_whole(view: Any) -> bool:
    return bool(view["tasks_total"] == TASKS and len(view["instalments"]) == INSTALMENTS)
