from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.ids import new_id
from orderloom.parts import Parts
from probe import Probe, running_probe
from stack import jwks_file


@pytest.fixture
async def probe(parts: Parts, keys_folder: Path) -> AsyncIterator[Probe]:
    """On a database and topics of this test alone."""
    prefix = f"{new_id().hex}."
    await parts.create_topics(prefix)
    jwks = str(jwks_file(keys_folder))
    async with running_probe(parts, topic_prefix=prefix, jwks=jwks, **parts.kafka_settings) as probe:
        yield probe
