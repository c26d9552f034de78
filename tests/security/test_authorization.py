"""Every endpoint of every service, asked by everyone: what each is answered is written in `docs/authorization.md`."""

import importlib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from authorization import FORBIDDEN, TABLE, Asked, Row, World, read_table, routes_of, wrong_answers
from authorization_world import WORLDS
from chassis.application import Service
from chassis.http import holding, router
from contracts import roles
from contracts.topics import SERVICES
from orderloom.parts import Parts
from stack import Running, Who, running, template_database

PACKAGES = {"gateway": "portal"}
ROWS = read_table(TABLE.read_text())


def service_called(name: str) -> Service:
    service: Service = importlib.import_module(f"{PACKAGES.get(name, name)}.app").service
    return service


@pytest.mark.parametrize("name", SERVICES)
async def test_rule_33_everyone_is_answered_as_the_table_says_and_no_endpoint_is_without_a_row(
    name: str, parts: Parts, keys_folder: Path, signing_key: Path
) -> None:
    service, rows = service_called(name), [row for row in ROWS if row.service == name]
    own: dict[str, Any] = {"signing_key": signing_key} if name == "gateway" else {}
    template = await template_database(parts, service)
    async with running(service, parts, template=template, folder=keys_folder, **own) as service_running:
        assert routes_of(service_running.api) == {row.route for row in rows}, "docs/authorization.md and the routes"
        world = await WORLDS[name](service_running)
        wrong = [each for row in rows for each in await wrong_answers(service_running, world, row)]
        assert not wrong, "\n".join(wrong)


def test_the_table_has_a_column_for_every_role_that_services_know_and_a_table_for_every_service() -> None:
    known = {value for name, value in vars(roles).items() if name.isupper()}
    heads = {head for row in ROWS for head in row.expected}
    short = {"sales mgr": "sales_manager", "fin. mgr": "finance_manager", "project mgr": "project_manager"}
    short |= {"gen. mgr": "general_manager", "admin": "administrator"}
    assert known <= {short.get(head, head) for head in heads}
    assert {row.service for row in ROWS} == set(SERVICES)
    assert len({(row.service, row.route, row.about) for row in ROWS}) == len(ROWS)


def test_a_row_without_an_answer_for_everyone_is_refused() -> None:
    table = f"## order\n| request | about | nobody | admin |\n|---|---|---|---|\n| `GET /x` | | 401 | {FORBIDDEN} |"
    (row,) = read_table(table)
    assert (row.route, dict(row.expected)) == ("GET /x", {"nobody": 401, "admin": 403})
    with pytest.raises(ValueError, match="shorter"):
        read_table(table.removesuffix(f"| {FORBIDDEN} |"))


async def test_the_check_catches_an_endpoint_that_lets_the_wrong_person_in(order_service_of_all: Running) -> None:
    open_to_all = router()

    @open_to_all.get("/secret/{secret_id}")
    async def tell(secret_id: UUID) -> str:
        return "told"

    @open_to_all.post("/closed", dependencies=[holding("nobody")])
    async def never() -> None: ...

    order_service_of_all.api.include_router(open_to_all)
    assert {"GET /secret/{secret_id}", "POST /closed"} <= routes_of(order_service_of_all.api)
    people = {"nobody": None, "admin": Who("admin", ("administrator",))}
    asked = {("GET /secret/{secret_id}", ""): Asked(f"/secret/{UUID(int=1)}"), ("POST /closed", ""): Asked("/closed")}
    world = World(people, asked, names=["this needs"])
    secret = Row("order", "GET /secret/{secret_id}", "", {"nobody": 401, "admin": 404})
    assert len(await wrong_answers(order_service_of_all, world, secret)) == 2
    closed = Row("order", "POST /closed", "", {"nobody": 401, "admin": 403})
    assert await wrong_answers(order_service_of_all, world, closed) == []
