"""What an order costs in things that no machine makes faster or slower. Exceeding one of these numbers fails.

When a test here fails, either take the statement, the transaction or the bytes out again, or, if what they buy is worth
it, write the new number down here and say in the commit what it buys. A number that got smaller is written down too:
the guard holds what was won.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_origin
from uuid import UUID

import pytest
from fastapi.routing import APIRoute

from chassis.paging import Page
from contracts import roles
from contracts.topics import INBOUND
from counting import Counted, counting
from five_services import SELLER, SERVICES, FiveServices
from stack import Running, Who

PLACING = (2, 1)
"""Statements and transactions of `POST /orders` by a client that is known, without an idempotency key."""
APPROVING = (4, 1)
CONSUMING = {"order": (25, 5), "project": (4, 1), "finance": (4, 1), "notify": (14, 3), "gateway": (24, 5)}
"""By service, over the five batches in which an order's facts come, be they of one order or of ten."""
FACTS_PER_ORDER = 12
BODY_BYTES_PER_ORDER_MAX = 12_000
LIST_STATEMENTS_MAX = 3
"""Of a page, whatever its length: its rows, and what is loaded beside them for all of them at once."""

PAGE_ROWS = 50
SEVERAL = 4
"""More than a page of one row reads, which is two: it looks whether there is a next one."""
EVERY_ROLE = tuple(value for name, value in vars(roles).items() if name.isupper() and isinstance(value, str))


@pytest.mark.parametrize("count", [1, 10])
async def test_an_order_costs_what_is_written_down(five: FiveServices, count: int) -> None:
    with counting() as placing:
        order_ids = await five.place(count)
    assert _each(placing, count) == PLACING, _explained("POST /orders", placing)
    spent = await _spent_consuming(five)

    with counting() as approving:
        await five.approve(order_ids)
    assert _each(approving, count) == APPROVING, _explained("the approval", approving)
    for name, counted in (await _spent_consuming(five)).items():
        spent[name].statements += counted.statements
        spent[name].transactions += counted.transactions
    for name, allowed in CONSUMING.items():
        assert _each(spent[name], 1) == allowed, _explained(f"consuming in {name}", spent[name])

    told = [fact for fact in five.told if fact["key"] == order_ids[-1]]
    assert len(told) == FACTS_PER_ORDER, f"told of one order: {[fact['type'] for fact in told]}"
    sizes = {fact["type"]: len(fact["body"].encode()) for fact in told}
    assert sum(len(fact["body"].encode()) for fact in told) <= BODY_BYTES_PER_ORDER_MAX, sizes


async def _spent_consuming(five: FiveServices) -> dict[str, Counted]:
    """By service, until nobody has anything to tell."""
    spent = {name: Counted() for name in five.by_name}
    while facts := await five.collect():
        for name in five.by_name:
            with counting() as counted:
                await five.hand_to(name, facts)
            spent[name].statements += counted.statements
            spent[name].transactions += counted.transactions
    return spent


def _each(counted: Counted, count: int) -> tuple[float, float]:
    return len(counted.statements) / count, counted.transactions / count


def _explained(what: str, counted: Counted) -> str:
    shown = "\n".join(f"  {statement[:160]}" for statement in counted.statements)
    return f"{what} costs other than tests/test_costs.py allows; see its first lines. Asked was:\n{shown}"


def _lists(is_such: Callable[[Any], bool]) -> Iterator[tuple[str, str]]:
    """Service and path of every list of every service, found from its routes, so that a new one is among them."""
    for service in SERVICES:
        for router in service.routers:
            for route in router.routes:
                if isinstance(route, APIRoute) and is_such(route.response_model):
                    yield service.name, route.path


def _is_page(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, Page)


def _is_whole_list(model: Any) -> bool:
    return get_origin(model) is list


async def test_a_list_without_pages_costs_the_same_however_much_there_is(five: FiveServices) -> None:
    lists = list(_lists(_is_whole_list))
    ids = await _ids(five, five.told[-1]["key"])
    before = [len((await _ask(five.by_name[service], path, ids))[0].statements) for service, path in lists]
    ids = await _several_of_everything(five)
    for (service, path), few in zip(lists, before, strict=True):
        counted, _ = await _ask(five.by_name[service], path, ids)
        assert len(counted.statements) <= few, _explained(f"{service} {path}, with more to list,", counted)


async def test_a_page_of_any_list_costs_the_same_for_one_row_and_for_many(five: FiveServices) -> None:
    ids = await _several_of_everything(five)
    wrong = []
    for service, path in _lists(_is_page):
        one, _ = await _ask(five.by_name[service], path, ids, limit=1)
        many, rows = await _ask(five.by_name[service], path, ids, limit=PAGE_ROWS)
        if len(rows["items"]) < SEVERAL:
            wrong.append(f"{service} {path}: `_several_of_everything` makes no {SEVERAL} rows of this list: let it.")
        elif len(many.statements) > len(one.statements):  # the first of all reads what is kept in memory afterwards
            wrong.append(_explained(f"{service} {path}, a page of several rows, more than one of 1,", many))
        elif len(many.statements) > LIST_STATEMENTS_MAX:
            wrong.append(_explained(f"{service} {path}, more than {LIST_STATEMENTS_MAX} statements,", many))
    assert not wrong, "\n".join(wrong)


async def _ask(service: Running, path: str, ids: dict[str, str], **parameters: Any) -> tuple[Counted, Any]:
    """What a list costs, asked for by someone who may see it, and the list."""
    everyone = Who(ids["person"], EVERY_ROLE)
    client = Who("kim", ("client",), kind="client", client_id=UUID(ids["client_id"]))
    with counting() as counted:
        answer = await service.get(
            path.format(**ids), client if path.startswith("/portal") else everyone, params=parameters
        )
    assert answer.status_code == 200, f"{path}: {answer.text}"
    return counted, answer.json()


async def _several_of_everything(five: FiveServices) -> dict[str, str]:
    """Values for the paths of lists, each of which then has several rows."""
    for number in range(SEVERAL):
        await five.place(1, client={"code": f"C-100{number}", "name": "Other Works"})
    order_ids = await five.place(2 * SEVERAL)
    await five.approve(order_ids)
    await five.deliver()
    for order_id in order_ids[:SEVERAL]:
        await _bill(five.by_name["finance"], order_id)
    await _admit(five.by_name["gateway"])
    await five.deliver()
    await _rebuild(five.by_name["order"], order_ids[:SEVERAL])
    await _ask_in_vain(five.by_name["order"])
    return await _ids(five, order_ids[-1])


async def _ids(five: FiveServices, order_id: str) -> dict[str, str]:
    """Of an order, its client, and someone who works on it."""
    project = (await five.by_name["project"].get(f"/orders/{order_id}/project", SELLER)).json()
    account = (await five.by_name["finance"].get(f"/orders/{order_id}/account", SELLER)).json()
    person = next(task["assignee"]["id"] for task in project["tasks"] if task["assignee"])
    return {"order_id": order_id, "client_id": account["client_id"], "person": person}


async def _bill(finance: Running, order_id: str) -> None:
    accountant = Who("chen", (roles.FINANCE,))
    answer = await finance.post(f"/orders/{order_id}/invoices", accountant)
    assert answer.status_code == 201, answer.text
    invoice = answer.json()
    paid = [{"invoice_id": invoice["invoice_id"], "amount": "1"}]  # so that it stays open
    body = {"currency": invoice["currency"], "amount": "1", "allocations": paid}
    answer = await finance.post("/receipts", accountant, json=body | {"received_on": invoice["issued_on"]})
    assert answer.status_code == 201, answer.text


async def _ask_in_vain(order: Running) -> None:
    """Orders of a system outside, each wrong."""
    for number in range(SEVERAL):
        envelope = {"ce_specversion": "1.0", "ce_id": f"r-{number}", "ce_type": "erp.order.requested.v1"}
        headers = envelope | {"ce_source": "erp.example", "content-type": "application/json"}
        await order.worker.inbox.apply_all([order.raw_record(INBOUND, b"K", b"{}", headers)])


async def _rebuild(order: Running, order_ids: Sequence[str]) -> None:
    for order_id in order_ids:
        body = {"service": "gateway", "order_id": order_id}
        answer = await order.post("/admin/rebuilds", Who("op", (roles.OPERATOR,)), json=body)
        assert answer.status_code == 202, answer.text


async def _admit(gateway: Running) -> None:
    """People and systems."""
    administrator = Who("admin", (roles.ADMINISTRATOR,))
    for number in range(SEVERAL):
        user = {"user_id": f"new.{number}", "name": "New", "email": None, "locale": "en", "roles": ["sales"]}
        answer = await gateway.post("/users", administrator, json=user | {"password": "a long enough password"})
        assert answer.status_code == 201, answer.text
        key = {"system": f"erp-{number}", "scopes": ["orders:read"]}
        answer = await gateway.post("/api-keys", administrator, json=key)
        assert answer.status_code == 201, answer.text
