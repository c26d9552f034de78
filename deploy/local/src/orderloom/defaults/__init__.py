"""What a fresh stack starts with: order types, templates, calendar, ladder, rates and demo people.

All of it is data beside this file, and goes in through the public APIs. Installing it again changes nothing.
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from contracts.topics import SERVICES
from orderloom.gateway import Gateway, Refused

FOLDER = Path(__file__).parent
ADMINISTRATOR = "admin"
DEMO_PASSWORD = os.environ.get("ORDERLOOM_DEMO_PASSWORD", "orderloom-demo")
"""Of the demo people, who exist only where these defaults are installed."""
KNOWN_SECONDS = 60.0


def install(gateway_url: str, admin_password: str) -> None:
    """Return when every service knows the defaults. Raises `Refused`."""
    asyncio.run(_install(gateway_url, admin_password))


def people() -> list[dict[str, Any]]:
    """The demo people."""
    found: list[dict[str, Any]] = _read("people.json")
    return found


async def _install(gateway_url: str, admin_password: str) -> None:
    async with Gateway(gateway_url, {ADMINISTRATOR: admin_password}) as gateway:
        events = [
            await _put(gateway, f"/api/order/order-types/{file.stem}", _read(file)) for file in _in("order_types")
        ]
        await _put(gateway, "/api/order/approval-ladder", _read("approval-ladder.json"))
        await _put(gateway, "/api/order/exchange-rates", _read("exchange-rates.json"))
        events += [await _register(gateway, person) for person in people()]
        await _until_read(gateway, events)
        await _put(gateway, "/api/project/calendar-days", _read("calendar.json"))
        for file in _in("templates"):
            await _put(gateway, f"/api/project/templates/{file.stem}", _read(file))
        for person in people():
            skills = {name: person[name] for name in ("skills", "cost_per_hour", "currency")}
            await _put(gateway, f"/api/project/people/{person['user_id']}", skills)


async def _register(gateway: Gateway, person: dict[str, Any]) -> str | None:
    """Someone who is registered already stays as they are."""
    user = {name: person[name] for name in ("user_id", "name", "email", "locale", "roles")}
    try:
        answer = await gateway.post(ADMINISTRATOR, "/users", user | {"password": DEMO_PASSWORD})
    except Refused as refusal:
        if refusal.status != 409:
            raise
        return None
    event_id: str | None = answer.headers.get("Orderloom-Event")
    return event_id


async def _put(gateway: Gateway, path: str, body: Any) -> str | None:
    answer = await gateway.put(ADMINISTRATOR, path, body)
    event_id: str | None = answer.headers.get("Orderloom-Event")
    return event_id


async def _until_read(gateway: Gateway, events: list[str | None]) -> None:
    """Every service that reads the directory has read the last fact of each kind; the rest stand before them."""
    readers = {"project": "/api/project/templates", "notify": "/api/notify/notices", "gateway": "/auth/me"}
    assert set(readers) < set(SERVICES)
    for event in filter(None, events):
        for path in readers.values():
            await gateway.get(ADMINISTRATOR, path, after=event)


def _in(folder: str) -> list[Path]:
    return sorted((FOLDER / folder).glob("*.json"))


def _read(name: str | Path) -> Any:
    return json.loads((FOLDER / name).read_text())
