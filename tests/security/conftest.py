"""Services on databases of their own, for what is tried against all of them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from chassis.telemetry import PROCESSORS
from orderloom.parts import Parts
from stack import Running, running, template_database


@pytest.fixture
async def order_service_of_all(parts: Parts, keys_folder: Path) -> AsyncIterator[Running]:
    """The order service; how its rows are written makes no difference here."""
    from order.app import service

    template = await template_database(parts, service)
    async with running(service, parts, template=template, folder=keys_folder) as order:
        yield order


@pytest.fixture
async def gateway_of_all(parts: Parts, signing_key: Path) -> AsyncIterator[Running]:
    """The gateway, as people reach it."""
    from portal.app import service

    template = await template_database(parts, service)
    folder = signing_key.parent
    async with running(service, parts, template=template, folder=folder, signing_key=signing_key) as gateway:
        yield gateway


@pytest.fixture
def logs_as_in_production() -> Iterator[None]:
    """Without it, structlog shows a developer the variables of a function that failed."""
    structlog.configure(
        processors=[*PROCESSORS, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    yield
    structlog.reset_defaults()
