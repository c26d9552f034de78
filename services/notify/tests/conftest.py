from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from notify.app import service
from orderloom.parts import Parts
from stack import Running, running, template_database


@pytest.fixture
async def notify_service(parts: Parts, keys_folder: Path, one_statement_flush: bool) -> AsyncIterator[Running]:
    """Without a mail server: e-mails are recorded and wait."""
    template = await template_database(parts, service)
    async with running(
        service,
        parts,
        template=template,
        folder=keys_folder,
        one_statement_flush=one_statement_flush,
        gateway_url="https://orders.example.com/",
    ) as notify:
        yield notify
