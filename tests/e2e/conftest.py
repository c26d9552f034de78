"""One whole stack for all journeys of a test process."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway
from whole_stack import WholeStack

START_SECONDS = 180
BROKER_OPTIONS = {"apache": ["--apache-kafka"]}


@pytest.fixture(scope="session")
def whole_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeStack]:
    stack = WholeStack(tmp_path_factory.mktemp("stack") / "data")
    try:
        started = stack.command(
            "up", *BROKER_OPTIONS.get(os.environ.get("ORDERLOOM_TEST_BROKER", ""), ()), timeout=START_SECONDS
        )
        assert started.returncode == 0, started.stdout[-4000:] + started.stderr[-4000:]
        yield stack
    finally:
        stack.command("down", "--wipe", timeout=60)


@pytest.fixture
async def gateway(whole_stack: WholeStack) -> AsyncIterator[Gateway]:
    async with whole_stack.gateway() as gateway:
        yield gateway


@pytest.fixture
def cast(gateway: Gateway) -> Cast:
    return Cast(gateway)
