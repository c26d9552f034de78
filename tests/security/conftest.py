"""Services on databases of their own, for what is tried against all of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from orderloom.parts import Parts
from stack import Running, running, template_database


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key of the gateway."""
    file = tmp_path_factory.mktemp("gateway") / "signing-key.pem"
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem)
    return file


@pytest.fixture
async def order_service_of_all(parts: Parts, keys_folder: Path) -> AsyncIterator[Running]:
    """The order service; how its rows are written makes no difference here."""
    from order.app import service

    template = await template_database(parts, service)
    async with running(service, parts, template=template, folder=keys_folder) as order:
        yield order
