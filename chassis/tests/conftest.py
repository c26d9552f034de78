from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.database import Database
from chassis.ids import new_id
from chassis.settings import ServiceSettings
from order.app import service as order_service
from orderloom.parts import Parts
from probe import Probe
from stack import copied_database, jwks_file, template_database


@pytest.fixture
async def probe(parts: Parts, keys_folder: Path) -> AsyncIterator[Probe]:
    """On a database and topics of this test alone."""
    prefix = f"{new_id().hex}."
    await parts.create_topics(prefix)
    settings = ServiceSettings(
        database_url=await copied_database(parts, await template_database(parts, order_service)),
        topic_prefix=prefix,
        session_timeout_ms=6000,
        **parts.kafka_settings,
        jwks=str(jwks_file(keys_folder)),
    )
    database = Database(settings.database_url.get_secret_value(), shared={"settings": settings})
    probe = Probe(settings, database)
    yield probe
    await probe.running.aclose()
    await database.close()
