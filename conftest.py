"""Fixtures of every test: the real parts, and each service on a database of its own."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from orderloom.parts import Parts, running_parts
from stack import Running, jwks_file, running, template_database

if TYPE_CHECKING:
    from five_services import FiveServices


@pytest.fixture(scope="session")
def parts() -> Iterator[Parts]:
    """PostgreSQL and a Kafka broker, started once."""
    with running_parts() as parts:
        yield parts


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gateway's own key, in a folder whose key set holds its public half beside that of the tests."""
    from portal.signing import Signer

    folder = tmp_path_factory.mktemp("gateway")
    file = folder / "signing-key.pem"
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem)
    key_set = jwks_file(folder)
    keys = json.loads(key_set.read_text())["keys"] + Signer(file, issuer="orderloom", audience="orderloom").jwks["keys"]
    key_set.write_text(json.dumps({"keys": keys}))
    return file


@pytest.fixture(params=[True, False], ids=["one-statement", "orm"])
def one_statement_flush(request: pytest.FixtureRequest) -> bool:
    """Every service's tests run with both ways of writing new rows."""
    return bool(request.param)


@pytest.fixture
async def order_service(parts: Parts, keys_folder: Path, one_statement_flush: bool) -> AsyncIterator[Running]:
    from order.app import service

    template = await template_database(parts, service)
    async with running(
        service, parts, template=template, folder=keys_folder, one_statement_flush=one_statement_flush
    ) as order:
        yield order


@pytest.fixture
async def five(parts: Parts, keys_folder: Path, signing_key: Path) -> AsyncIterator["FiveServices"]:
    """All services, and between them the test in place of the bus."""
    from five_services import running_five

    async with running_five(parts, keys_folder, signing_key) as five:
        yield five
