"""The story of the contracts' examples, and the people in it, for the tests of the notify service."""

import asyncio
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text

from contracts.catalogue import EVENTS
from contracts.directory import OrderTypePublished, UserChanged, UserRegistered
from contracts.event import Event, OrderEvent
from contracts.finance import InstalmentsPlanned
from contracts.generate import EXAMPLES, ROOT
from contracts.order import OrderPlaced
from contracts.project import ProjectCreated
from stack import Running

E = TypeVar("E", bound=Event)

SALES, SALES_MANAGER = "01a05a7a-e000-7000-8000-000000000001", "01a05a7a-ea80-7e48-9077-47fcccc58db8"
FINANCE_MANAGER, ENGINEER = "01a05a7a-ee68-7810-9b94-62caa4a31bac", "01a05a7a-f250-7097-918f-e48abd451685"
MACHINIST, OTHER_MACHINIST = "01a05a7a-f638-7183-baf0-2b6bc6222ba5", "01a05a7a-fa20-79a7-af98-0de47819ba3d"
INSPECTOR, MANAGER = "01a05a7a-fe08-78e6-bead-318f306939ac", "01a05a7b-01f0-72d2-8a1c-c94f951252ec"
PLANNER, FINANCE = "01a05a7b-0000-7000-8000-000000000002", "01a05a7b-0000-7000-8000-000000000003"
GENERAL_MANAGER = "01a05a7b-0000-7000-8000-000000000004"
CLIENT_PERSON, OTHER_CLIENT_PERSON = "01a05a7b-05d8-79a0-951e-52d97b4cacf9", "01a05a7b-0000-7000-8000-000000000005"
CLIENT_ID, OTHER_CLIENT_ID = UUID("01a12ecd-c640-723f-a603-f61dc036b5c5"), UUID("01a12ecd-0000-7000-8000-000000000006")

ROLES: dict[str, str] = {
    SALES: "sales",
    SALES_MANAGER: "sales_manager",
    FINANCE_MANAGER: "finance_manager",
    ENGINEER: "engineer",
    MACHINIST: "machinist",
    OTHER_MACHINIST: "machinist",
    INSPECTOR: "inspector",
    MANAGER: "project_manager",
    PLANNER: "planner",
    FINANCE: "finance",
    GENERAL_MANAGER: "general_manager",
    CLIENT_PERSON: "client",
    OTHER_CLIENT_PERSON: "client",
}


def example(event_class: type[E], **changes: Any) -> E:
    """The example of the contract, changed where a test needs it."""
    body = (ROOT / EXAMPLES / f"{event_class.type}.json").read_text(encoding="utf-8")
    return event_class.model_validate_json(body).model_copy(update=changes)


def user(user_id: str, **changes: Any) -> UserRegistered:
    """A person of the story, in Chinese and with an address unless `changes` say otherwise."""
    client_id = {CLIENT_PERSON: CLIENT_ID, OTHER_CLIENT_PERSON: OTHER_CLIENT_ID}.get(user_id)
    state: dict[str, Any] = {
        "user_id": user_id,
        "name": f"Name of {ROLES[user_id]}",
        "email": f"{user_id}@example.com",
        "locale": "zh-CN",
        "roles": (ROLES[user_id],),
        "client_id": client_id,
        "active": True,
    }
    return UserRegistered(**state | changes)


def changed(user_id: str, **changes: Any) -> UserChanged:
    return UserChanged(**dict(user(user_id, **changes)))


def placed(**changes: Any) -> OrderPlaced:
    """By a person, not by an ERP as in the example: a requester can be told something."""
    return example(OrderPlaced, **{"requester": f"user:{SALES}"} | changes)


ORDER_ID = placed().order_id
EVERYONE = tuple(user(user_id) for user_id in ROLES)
BEFORE: tuple[OrderEvent, ...] = (placed(), example(ProjectCreated), example(InstalmentsPlanned))
"""What has happened to the order before anything of the project or the money can."""


async def ready(notify_service: Running, *people: UserRegistered) -> None:
    """Everyone, or only `people`, and the order type."""
    await notify_service.hear(*(people or EVERYONE), example(OrderTypePublished))


async def begun(notify_service: Running, *people: UserRegistered) -> None:
    """As `ready`, with an order that is placed and has a project and instalments; nobody is told of that."""
    await ready(notify_service, *people)
    await notify_service.hear(*BEFORE)
    async with notify_service.database.transaction() as session:
        await session.execute(text("DELETE FROM notices"))
        await session.execute(text("DELETE FROM outbox"))


async def told(notify_service: Running, *, channel: str = "in_app") -> dict[str, list[str]]:
    """By user id, the subjects of the notices on `channel`."""
    rows = await notify_service.rows(
        "SELECT user_id, subject FROM notices WHERE channel = :channel ORDER BY given_at, notice_id", channel=channel
    )
    by_user: dict[str, list[str]] = {}
    for row in rows:
        by_user.setdefault(row["user_id"], []).append(row["subject"])
    return by_user


def fact(name: str, **changes: Any) -> OrderEvent:
    """The example of the fact called `name`."""
    event = example(EVENTS[name], **changes)
    assert isinstance(event, OrderEvent)
    return event


async def until(condition: Any, *, seconds: float = 5.0) -> None:
    """Wait until `condition()` holds."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)
