"""The finance service on a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from finance.app import service
from orderloom.parts import Parts
from stack import Running, running, template_database


@pytest.fixture
async def finance_service(parts: Parts, keys_folder: Path, one_statement_flush: bool) -> AsyncIterator[Running]:
    template = await template_database(parts, service)
    async with running(
        service, parts, template=template, folder=keys_folder, one_statement_flush=one_statement_flush
    ) as finance:
        yield finance
