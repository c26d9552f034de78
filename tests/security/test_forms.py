"""Every form route of the gateway, posted to with garbage in every field it reads: refused, and never a failure.

The routes are the application's own and the fields those that a handler asks for: a new form is covered as it is.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.datastructures import FormData

from chassis.http import SAFE_METHODS
from contracts import roles
from five_services import FiveServices, running_five
from orderloom.parts import Parts
from portal.pages.sent import Sent
from stack import Running, Who

EVERYBODY = Who("fuzz", tuple(value for name, value in vars(roles).items() if name.isupper() and value != roles.CLIENT))
OTHER = "other"
GARBAGE = (
    "",
    "x",
    "²",
    "-1",
    "9" * 5000,
    "NaN",
    "sNaN",
    "-Infinity",
    "1e999999999999",
    "\x00",
    "\r\nSet-Cookie: a=b",
    "クッキー 🍪 \u202e",
    "../../admin",
    "<script>alert(1)</script>",
    "'; DROP TABLE users; --",
    "0" * 8 + "-0000-0000-0000-" + "0" * 12,
)
ROUNDS_MAX = 4
"""What a handler reads of a form may depend on what it has read before."""


class Remembering(FormData):
    """A form that knows what it was asked for."""

    asked: set[str] = set()  # noqa: RUF012 - one for all: a request makes its own form

    def get(self, key: Any, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def getlist(self, key: Any) -> list[Any]:
        self.asked.add(key)
        return super().getlist(key)

    def __contains__(self, key: Any) -> bool:
        self.asked.add(key)
        return super().__contains__(key)


@pytest.fixture
async def house(parts: Parts, keys_folder: Path, signing_key: Path) -> AsyncIterator[FiveServices]:
    """The gateway with the real services behind it."""
    async with running_five(parts, keys_folder, signing_key) as five:
        five.stand_behind_gateway()
        for user_id in (EVERYBODY.user_id, OTHER):
            registered = {
                "user_id": user_id,
                "name": "x",
                "locale": "en",
                "roles": ["sales"],
                "password": "long enough",
            }
            assert (await five.by_name["gateway"].post("/users", EVERYBODY, json=registered)).status_code == 201
        yield five


async def test_no_form_fails_whatever_is_in_its_fields(house: FiveServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sent, "__init__", lambda sent, form: setattr(sent, "_form", Remembering(form)))
    gateway, right = house.by_name["gateway"], await _right_values(house)
    wrong, refused, routes = [], 0, list(form_routes(gateway))
    for route in routes:
        for path, is_of_something in _paths(route, right):
            fields = await _fields_of(gateway, route, path, right)
            for sent in _forms(fields) if is_of_something else ({}, fields):
                answer = await _post(gateway, path, sent)
                refused += 400 <= answer.status_code < 500
                if answer.status_code >= 500:
                    wrong.append(f"{path} {_shown(sent, fields)}: {answer.status_code} {answer.text[:120]}")
                elif answer.status_code >= 400 and isinstance(route, APIRoute) and _is_page(route):
                    assert answer.headers["content-type"].startswith("text/html"), (path, _shown(sent, fields))
    assert not wrong, "\n".join(wrong)
    assert len(routes) > 15, routes
    assert refused > 200  # what is only ever taken has tried nothing


async def test_the_check_finds_every_form_that_a_template_has(house: FiveServices) -> None:
    templates = Path(__file__).parents[2] / "services/portal-gateway/src/portal/templates"
    written = [re.sub(r"\{\{.*?\}\}", "x", file.read_text()) for file in templates.rglob("*.html")]
    actions = {action for text in written for action in re.findall(r'<form method="post" action="([^"]*)"', text)}
    known = [route.path_regex for route in form_routes(house.by_name["gateway"])]
    assert len(actions) > 10
    paths = {action.partition("?")[0] for action in actions} - {"x"}  # which a macro is given
    assert [path for path in paths if not any(regex.match(path) for regex in known)] == []


def form_routes(gateway: Running) -> Iterator[APIRoute]:
    """Whatever a browser may send a form to: what changes something, and is in no document for programs."""

    def flat(routes: Any) -> Iterator[Any]:
        for route in routes:
            included = getattr(route, "original_router", None)
            yield from flat(included.routes) if included is not None else [route]

    for route in flat(gateway.api.router.routes):
        is_form = isinstance(route, APIRoute) and not route.include_in_schema
        if is_form and not route.methods <= set(SAFE_METHODS):
            yield route


def _is_page(route: APIRoute) -> bool:
    return type(route).__name__ == "PageRoute"


async def _right_values(house: FiveServices) -> dict[str, str]:
    """By the names that fields and parts of paths have: of things that there are."""
    order_id = (await house.by_name["order"].rows("SELECT order_id FROM orders"))[0]["order_id"]
    project = (await house.by_name["project"].get(f"/orders/{order_id}/project", EVERYBODY)).json()
    issued = await house.by_name["finance"].post(
        f"/orders/{order_id}/invoices", Who("chen", ("finance_manager",)), json={}
    )
    invoice = issued.json()
    return {
        "order_id": str(order_id),
        "task_id": project["tasks"][0]["id"],
        "deliverable_id": project["deliverables"][0]["id"],
        "invoice_id": invoice["invoice_id"],
        "open_amount": invoice["total"],
        "amount": "1.00",
        "currency": "CNY",
        "order_type": "machining",
        "priority": "3",
        "lines.0.item": "Plate",
        "lines.0.quantity": "4",
        "lines.0.unit": "pcs",
        "lines.0.unit_price": "12.5",
        "lines.0.tax_rate": "13",
        "fields.material": "6061",
        "service": "order",
        "consumer": "order.effects",
        "user_id": OTHER,
        "key": str(uuid4()),
    }


COMMANDS = {
    "/orders/{order_id}/{command}": ("hold", "cancellation"),
    "/orders/{order_id}/tasks/{task_id}/{command}": ("reassignment", "inspections"),
    "/tasks/{task_id}/{command}": ("block", "time-entries", "inspections", "start"),
    "/office/integration/{service}/{consumer}/{what}": ("retry", "discard"),
}


def _paths(route: APIRoute, right: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """About something that there is, with each command; and about garbage. With whether it is about something."""
    for command in COMMANDS.get(route.path, ("x",)):
        known = {name: right.get(name, command) for name in re.findall(r"\{(\w+)\}", route.path_format)}
        yield route.path_format.format(**known), True
    if "{" in route.path:
        for garbage in ("x", "%00", "%2e%2e", "%F0%9F%8D%AA", str(UUID(int=1))):
            yield re.sub(r"\{\w+\}", garbage, route.path_format), False


async def _fields_of(gateway: Running, route: APIRoute, path: str, right: Mapping[str, str]) -> dict[str, str]:
    """What the handler asks for, with right values as far as there are some."""
    fields = {name.alias: right.get(name.alias, "1") for name in route.dependant.body_params}
    if route.path.startswith("/orders/new"):
        fields |= {name: value for name, value in right.items() if name.startswith(("lines.", "fields.", "priority"))}
    for _ in range(ROUNDS_MAX):
        Remembering.asked.clear()
        await _post(gateway, path, fields)
        new = Remembering.asked - fields.keys()
        if not new:
            break
        fields |= {name: right.get(name, "1") for name in new}
    return fields


def _forms(fields: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Nothing; each piece of garbage in every field; and each in one field, with the others right."""
    yield {}
    for garbage in GARBAGE:
        yield dict.fromkeys(fields, garbage)
        yield from (dict(fields) | {name: garbage} for name in fields)


async def _post(gateway: Running, path: str, fields: Mapping[str, str]) -> httpx.Response:
    try:
        return await gateway.post(path, EVERYBODY, data=dict(fields))
    finally:
        gateway.http.cookies.clear()


def _shown(sent: Mapping[str, str], fields: Mapping[str, str]) -> str:
    return str({name: value[:40] for name, value in sent.items() if value != fields[name]})[:300]
