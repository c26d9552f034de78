"""An order placed by a form, with what it comes to shown as it is written."""

from typing import Any

from fastapi import Response

from chassis.http import Filter
from portal.pages.calls import CallRefused
from portal.pages.order_form import Filled, fields_of
from portal.pages.visit import SentForm, StaffVisit, Visit, pages_router

placing = pages_router()

CLIENTS_OFFERED = 200
OF_TOTALS = ("currency", "lines")
Types = list[dict[str, Any]]


@placing.get("/orders/new")
async def show_form(visit: StaffVisit, type: Filter = None, client: Filter = None) -> Response:
    visit.must("place orders")
    values = {"order_type": type or "", "client.code": client or "", "currency": "CNY", "priority": "3"}
    return await _form(visit, Filled(values))


@placing.post("/orders/new")
async def place(visit: StaffVisit, sent: SentForm) -> Response:
    """The order's page; or the form again, with each error beside its field. Another line, if that is asked for."""
    visit.must("place orders")
    if sent.has("more_lines"):
        return await _form(visit, Filled(sent.fields, more_lines=3))
    filled = Filled(sent.fields)
    types = await visit.calls.get("order", "order-types")
    try:
        answer = await visit.calls.send("order", "orders", filled.body(_schema(_type_of(filled, types))), key=sent.key)
    except CallRefused as refusal:
        return await _form(visit, filled, types=types, refused=refusal)
    return visit.done(f"/orders/{answer.json()['order_id']}", "placed", answer)


@placing.post("/orders/new/totals")
async def show_totals(visit: StaffVisit, sent: SentForm) -> Response:
    """What the order service makes of what is written so far."""
    visit.must("place orders")
    filled = Filled(sent.fields)
    order_type = _type_of(filled, await visit.calls.get("order", "order-types"))
    return visit.render("work/totals.html", preview=await _preview(visit, filled, order_type))


async def _form(
    visit: Visit, filled: Filled, *, types: Types | None = None, refused: CallRefused | None = None
) -> Response:
    types = types or await visit.calls.get("order", "order-types")
    clients = await visit.calls.get("order", "clients", limit=CLIENTS_OFFERED)
    order_type = _type_of(filled, types)
    return visit.render(
        "work/place.html",
        refused=refused,
        errors_are_beside=True,
        errors=visit.errors_in_words(filled.in_form(refused.errors)) if refused else {},
        types=types,
        order_type=order_type,
        fields=fields_of(_schema(order_type), visit.fmt),
        clients=clients["items"],
        filled=filled,
        preview=await _preview(visit, filled, order_type),
    )


async def _preview(visit: Visit, filled: Filled, order_type: dict[str, Any] | None) -> Any:
    """None while there is not enough to reckon with."""
    if not filled.is_ready:
        return None
    being_written = {
        "client": {"code": "x", "name": "x"},
        "title": "x",
        "order_type": order_type and order_type["code"],
    }
    body = {name: value for name, value in filled.body({}).items() if name in OF_TOTALS} | being_written
    try:
        return (await visit.calls.send("order", "orders/preview", body, key="", query="complete=false")).json()
    except CallRefused:
        return None


def _type_of(filled: Filled, types: Types) -> dict[str, Any] | None:
    """The one chosen, or the first."""
    return next((each for each in types if each["code"] == filled["order_type"]), types[0] if types else None)


def _schema(order_type: dict[str, Any] | None) -> dict[str, Any]:
    schema: dict[str, Any] = order_type["fields_schema"] if order_type else {}
    return schema
