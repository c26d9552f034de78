"""The gateway on a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orderloom.parts import Parts
from portal.app import service
from stack import Running, running, template_database


@pytest.fixture
async def gateway(parts: Parts, signing_key: Path, one_statement_flush: bool) -> AsyncIterator[Running]:
    template = await template_database(parts, service)
    async with running(
        service,
        parts,
        template=template,
        folder=signing_key.parent,
        one_statement_flush=one_statement_flush,
        signing_key=signing_key,
    ) as gateway:
        yield gateway


@pytest.fixture
async def gateway_read_only(parts: Parts, signing_key: Path) -> AsyncIterator[Running]:
    """For tests that write nothing: how new rows leave makes no difference to them."""
    template = await template_database(parts, service)
    async with running(
        service, parts, template=template, folder=signing_key.parent, signing_key=signing_key
    ) as gateway:
        yield gateway
