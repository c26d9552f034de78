"""Who gets which answer from which endpoint: the table of `docs/authorization.md`, read, and asked of a service."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import Database
from stack import Running, Who

TABLE = Path(__file__).parents[1] / "docs" / "authorization.md"
FORBIDDEN = "-"
ANY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EVERYONE = "everyone"
"""A row with one answer for all, whoever they are."""


@dataclass(frozen=True)
class Row:
    """What everyone is answered who asks for one thing. `about` tells rows of the same route apart."""

    service: str
    route: str
    about: str
    expected: Mapping[str, int]

    def __str__(self) -> str:
        return f"{self.route} ({self.about})" if self.about else self.route


@dataclass(frozen=True)
class Asked:
    """A request that is right in everything but, perhaps, who sends it."""

    path: str
    more: Mapping[str, Any] = field(default_factory=dict)
    """`json`, `content`, `data` or `headers`, as httpx takes them."""


@dataclass(frozen=True)
class World:
    """A service in which everything exists that its rows are about."""

    people: Mapping[str, Who | None]
    requests: Mapping[tuple[str, str], Asked]
    """By route and `about`."""
    names: Sequence[str]
    """Of companies, orders and people: nobody who is refused learns of them."""


def read_table(text: str) -> list[Row]:
    """Every row of every service. Raises `ValueError` for one that has not an answer for everyone."""
    rows, service, heads = [], "", list[str]()
    for line in text.splitlines():
        if line.startswith("## "):
            service, heads = line.removeprefix("## ").strip(), []
        cells = [cell.strip() for cell in line.strip("| ").split("|")] if line.startswith("|") else []
        if cells and cells[0] == "request":
            heads = cells[2:]
        elif cells and heads and not set(cells[0]) <= {"-", ":"}:
            answers = [403 if cell == FORBIDDEN else int(cell) for cell in cells[2:]]
            expected = dict(zip(heads, answers, strict=True))
            rows.append(Row(service, cells[0].strip("`"), cells[1], expected))
    return rows


def routes_of(api: FastAPI) -> set[str]:
    """Everything that the service answers: `GET /orders/{order_id}`, and what is mounted."""
    return set(_flattened(api.router.routes))


def _flattened(routes: Iterable[Any]) -> Iterable[str]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _flattened(included.routes)
        elif methods := getattr(route, "methods", None):
            shown = getattr(route, "path_format", route.path)
            yield from (f"{method} {shown}" for method in methods if (method, shown) not in _BESIDE_GET)
        else:
            yield f"MOUNT {route.path}"


_BESIDE_GET = {("HEAD", "/openapi.json")}


TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> :counted ORDER BY tablename"


class _Undone(Exception): ...


class Rehearsal:
    """A database whose transactions do everything up to their commit, and then nothing: each asks of the same world."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self, cause: object = None) -> AsyncIterator[AsyncSession]:
        try:
            async with self._database.transaction(cause) as session:
                yield session
                await session.flush()
                session.expunge_all()  # what was read stays as it was read, as after a commit
                raise _Undone
        except _Undone:
            pass


async def wrong_answers(service: Running, world: World, row: Row) -> list[str]:
    """What of the row is not as the table says. A refusal must change nothing, and name nothing, too."""
    before, wrong = await picture(service), []
    for person, expected in row.expected.items():
        for who in world.people.values() if person == EVERYONE else [world.people[person]]:
            answer = await ask(service, world, row, who, rehearsed=expected < 400)
            name = who.user_id if who else "nobody"
            if answer.status_code != expected:
                wrong.append(f"{row}: {person} ({name}) got {answer.status_code}, not {expected}: {answer.text[:200]}")
            if answer.status_code >= 400 and is_outsider(who) and any(each in answer.text for each in world.names):
                wrong.append(f"{row}: {person} ({name}) is refused, and told a name: {answer.text[:200]}")
            if expected == 404 and not await is_as_if_there_were_none(service, world, row, who, answer):
                wrong.append(f"{row}: {person} ({name}) can tell it from something that does not exist")
    if await picture(service) != before:
        wrong.append(f"{row}: a refusal has changed something")
    return wrong


def is_outsider(who: Who | None) -> bool:
    """Everyone but the company's people, who may see every order."""
    return who is None or who.kind != "user"


async def is_as_if_there_were_none(
    service: Running, world: World, row: Row, who: Who | None, answer: httpx.Response
) -> bool:
    """Whether `answer` is, but for the id, what is answered about an id that nothing has."""
    path = world.requests[row.route, row.about].path
    nothing = await ask(service, world, row, who, rehearsed=False, path=ANY_ID.sub(str(UUID(int=404)), path))
    shown = [(each.status_code, ANY_ID.sub("id", each.text), sorted(each.headers)) for each in (answer, nothing)]
    return shown[0] == shown[1]


async def ask(
    service: Running, world: World, row: Row, who: Who | None, *, rehearsed: bool, path: str = ""
) -> httpx.Response:
    asked = world.requests[row.route, row.about]
    method = row.route.partition(" ")[0].replace("MOUNT", "GET")
    if rehearsed:
        return await rehearse(service, method, path or asked.path, who, **asked.more)
    try:
        return await service.request(method, path or asked.path, who, **asked.more)
    finally:
        service.http.cookies.clear()


async def rehearse(service: Running, method: str, path: str, who: Who | None, **more: Any) -> httpx.Response:
    """The answer; afterwards the world is as it was."""
    service.api.state.database = Rehearsal(service.database)
    try:
        return await service.request(method, path, who, **more)
    finally:
        service.api.state.database = service.database
        service.http.cookies.clear()


async def picture(service: Running) -> str:
    """Changes with every row of every table, but for the failed attempts to sign in: that they count is their use."""
    tables = await service.rows(TABLES, counted="sign_in_attempts")
    of_each = " UNION ALL ".join(
        f"""SELECT '{each["tablename"]}' AS t, md5(string_agg(r::text, '' ORDER BY r::text)) AS s
        FROM "{each["tablename"]}" r"""
        for each in tables
    )
    return str(await service.rows(of_each))
