import asyncpg
import pytest

from orderloom.broker import Broker
from orderloom.parts import Parts, running_parts


async def test_a_database_is_ready_for_sqlalchemy(parts: Parts) -> None:
    url = await parts.create_database("of_a_test")
    assert url == await parts.create_database("of_a_test")
    assert url.startswith("postgresql+asyncpg://")
    await (await asyncpg.connect(url.replace("+asyncpg", ""))).close()


async def test_topics_are_created_once_per_prefix(parts: Parts) -> None:
    await parts.create_topics("test.")
    await parts.create_topics("test.")
    await parts.create_topics("other.")


def test_servers_that_are_named_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLOOM_TEST_POSTGRES", "postgresql://somewhere/postgres")
    monkeypatch.setenv("ORDERLOOM_TEST_KAFKA", "somewhere:9092")
    with running_parts() as parts:
        assert parts == Parts("postgresql://somewhere/postgres", "somewhere:9092", Broker("apache"))
