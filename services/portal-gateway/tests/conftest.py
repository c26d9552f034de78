"""The gateway on a database of its own."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from orderloom.parts import Parts
from portal.app import service
from portal.signing import Signer
from stack import Running, jwks_file, running, template_database


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gateway's own key, in a folder whose key set holds its public half beside that of the tests."""
    folder = tmp_path_factory.mktemp("gateway")
    file = folder / "signing-key.pem"
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem)
    key_set = jwks_file(folder)
    keys = json.loads(key_set.read_text())["keys"] + Signer(file, issuer="orderloom", audience="orderloom").jwks["keys"]
    key_set.write_text(json.dumps({"keys": keys}))
    return file


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
