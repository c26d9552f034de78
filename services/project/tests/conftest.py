"""The project service, on a database of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from project_world import ready

from orderloom.parts import Parts
from project.app import service
from stack import Running, running, template_database


@pytest.fixture
async def empty_service(parts: Parts, keys_folder: Path, one_statement_flush: bool) -> AsyncIterator[Running]:
    """It has heard of nothing."""
    template = await template_database(parts, service)
    async with running(
        service, parts, template=template, folder=keys_folder, one_statement_flush=one_statement_flush
    ) as project:
        yield project


@pytest.fixture(scope="session")
def database_with_defaults(parts: Parts, keys_folder: Path) -> str:
    """Filled once, to be copied from."""

    async def fill() -> str:
        template = await template_database(parts, service)
        async with running(service, parts, template=template, folder=keys_folder) as project:
            await ready(project)
        return project.settings.database_url.get_secret_value().rsplit("/", 1)[-1]

    return asyncio.run(fill())


@pytest.fixture
async def project_service(
    parts: Parts, keys_folder: Path, one_statement_flush: bool, database_with_defaults: str
) -> AsyncIterator[Running]:
    """It knows the defaults."""
    async with running(
        service,
        parts,
        template=database_with_defaults,
        folder=keys_folder,
        one_statement_flush=one_statement_flush,
    ) as project:
        yield project
