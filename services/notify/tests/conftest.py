from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mail_world import Server
from notify_world import begun

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


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def mailing_notify(parts: Parts, keys_folder: Path, server: Server) -> AsyncIterator[Running]:
    """With a mail server. New rows are written as everywhere; the other way is tested with the rest."""
    template = await template_database(parts, service)
    async with running(
        service, parts, template=template, folder=keys_folder, smtp_host="127.0.0.1", smtp_port=server.port
    ) as notify:
        await begun(notify)
        yield notify
