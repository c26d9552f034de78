"""Fixtures of every test: the real parts, and each service on a database of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from orderloom.parts import Parts, running_parts
from stack import Running, running, template_database


@pytest.fixture(scope="session")
def parts() -> Iterator[Parts]:
    """PostgreSQL and a Kafka broker, started once."""
    with running_parts() as parts:
        yield parts


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(params=[True, False], ids=["one-statement", "orm"])
def one_statement_flush(request: pytest.FixtureRequest) -> bool:
    """Every service's tests run with both ways of writing new rows."""
    return bool(request.param)


@pytest.fixture
async def order_service(parts: Parts, keys_folder: Path, one_statement_flush: bool) -> AsyncIterator[Running]:
    from order.app import service

    template = await template_database(parts, service)
    async with running(
        service, parts, template=template, folder=keys_folder, one_statement_flush=one_statement_flush
    ) as order:
        yield order
