"""Every operation of every OpenAPI document, asked with what follows it and with what does not (schemathesis)."""

import asyncio
import importlib
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

from authorization import World, rehearse
from authorization_world import WORLDS
from contracts import roles
from contracts.topics import SERVICES
from orderloom.parts import Parts
from stack import Running, Who, running, template_database

EXAMPLES = 12
"""Of each operation and each way to make them. The same ones every time: nothing here is random."""
STAFF = Who("fuzz", tuple(value for name, value in vars(roles).items() if name.isupper() and value != roles.CLIENT))
FOR_CLIENTS = re.compile(r"/portal/|/acceptance$")
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
ALIKE = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: object) -> bytes:
    return str(value).encode("utf-8", "replace")


@pytest.mark.parametrize("name", SERVICES)
def test_no_request_makes_a_service_fail_or_answer_what_its_document_does_not_say(
    name: str, parts: Parts, keys_folder: Path, signing_key: Path
) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        service, world = runner.run(_started(stack, name, parts, keys_folder, signing_key))
        wrong, seen = _asked_for_everything(runner, service, world)
        runner.run(stack.aclose())
    assert not wrong, "\n".join(sorted(set(wrong))[:40])
    assert min(seen[2], seen[4]) > 20, seen  # what is only ever refused at the door finds nothing


def test_the_check_catches_a_failure_and_a_status_that_is_not_documented(
    parts: Parts, keys_folder: Path, signing_key: Path, logs_as_in_production: None
) -> None:
    careless = APIRouter()

    @careless.get("/share/{of}")
    async def share(of: int) -> JSONResponse:
        if of % 2:
            raise RuntimeError("a bug")
        return JSONResponse({}, 418)

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        service, world = runner.run(_started(stack, "notify", parts, keys_folder, signing_key))
        service.api.include_router(careless)
        wrong, _ = _asked_for_everything(runner, service, world)
        runner.run(stack.aclose())
    assert {each.split()[2] for each in wrong} >= {"418", "500"}
    assert [each for each in wrong if "/share/{of}" not in each] == []


def _asked_for_everything(runner: asyncio.Runner, service: Running, world: World) -> tuple[list[str], Counter[int]]:
    """What was answered wrongly, and how often what was answered at all."""
    wrong: list[str] = []
    seen: Counter[int] = Counter()
    document = schemathesis.openapi.from_dict(service.api.openapi())
    for operation in _operations(document):
        statuses = set(operation.definition.raw["responses"])

        def ask(case: Case[Any], statuses: set[str] = statuses) -> None:
            for known in (False, True):
                wrong.extend(runner.run(_asked(service, world, case, statuses, seen, known=known)))

        for mode in MODES:
            _with_many(operation.as_strategy(generation_mode=mode), ask)
    return wrong, seen


def _operations(document: Any) -> Iterable[Any]:
    return (result.ok() for result in document.get_all_operations())


def _with_many(cases: Any, ask: Callable[[Case[Any]], None]) -> None:
    @ALIKE
    @given(case=cases)
    def ask_all(case: Case[Any]) -> None:
        ask(case)

    with warnings.catch_warnings(), suppress(Unsatisfiable):  # where nothing is sent, nothing can be wrong
        warnings.simplefilter("ignore")
        ask_all()


async def _started(
    stack: AsyncExitStack, name: str, parts: Parts, folder: Path, signing_key: Path
) -> tuple[Running, World]:
    service = importlib.import_module(f"{'portal' if name == 'gateway' else name}.app").service
    own: dict[str, Any] = {"signing_key": signing_key} if name == "gateway" else {}
    template = await template_database(parts, service)
    started = await stack.enter_async_context(running(service, parts, template=template, folder=folder, **own))
    return started, await WORLDS[name](started)


SENT = ("json", "params", "content", "data", "cookies")


async def _asked(
    service: Running, world: World, case: Case[Any], documented: set[str], seen: Counter[int], *, known: bool
) -> list[str]:
    """What is wrong with the answer. `known` asks about something that exists."""
    sent = case.as_transport_kwargs(base_url="http://test")
    if known and (path := _path_of_something(world, case)):
        sent["url"] = f"http://test{path}"
    who = world.people["client"] if FOR_CLIENTS.search(case.path) else STAFF
    assert who is not None
    headers = {k: v for k, v in (sent.get("headers") or {}).items() if k.lower() not in ("authorization", "user-agent")}
    try:
        answer = await rehearse(
            service,
            case.method,
            sent["url"],
            who,
            headers=headers,
            **{name: sent[name] for name in SENT if sent.get(name) is not None},
        )
    except (ValueError, TypeError):
        return []  # no client could send it
    seen[answer.status_code // 100] += 1
    shown = f"{case.method} {case.path}: {answer.status_code} {answer.text[:160]}"
    if answer.status_code >= 500 and answer.status_code != 503:
        return [f"{shown} after {str(sent)[:400]}"]
    if str(answer.status_code) not in documented:
        return [f"{shown} is not documented"]
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    return [] if answer.status_code < 400 or is_problem else [f"{shown} is no problem"]


def _path_of_something(world: World, case: Case[Any]) -> str | None:
    paths = [
        asked.path for (route, _), asked in world.requests.items() if route == f"{case.method.upper()} {case.path}"
    ]
    return paths[0] if paths and "{" in case.path else None


def test_a_document_says_of_every_operation_how_it_refuses(order_service_of_all: Running) -> None:
    document = order_service_of_all.api.openapi()
    edit = document["paths"]["/orders/{order_id}"]["put"]["responses"]
    assert {"200", "400", "401", "403", "404", "409", "412", "413", "422", "503"} <= set(edit)
    assert edit["422"]["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert "HTTPValidationError" not in document["components"]["schemas"]
