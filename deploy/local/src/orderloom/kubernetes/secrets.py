"""Prints the Secrets of a trial, made at random, for `kubectl create -f -`.

    python -m orderloom.kubernetes.secrets | kubectl create -f -

`create` and not `apply`: what is there already is refused, so that nobody changes the locks of a running database.
"""

import json
import sys
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from contracts.topics import SERVICES
from orderloom import keys
from orderloom.kubernetes.strimzi import Resource

NAMESPACE = "orderloom"
SECRET_BYTES = 24


def main() -> int:
    json.dump({"apiVersion": "v1", "kind": "List", "items": resources()}, sys.stdout, indent=1)
    return 0


def resources() -> list[Resource]:
    """What the overlay `small` reads. In production, others make the same names: see docs/kubernetes.md."""
    signing_key, jwks = _signing_key()
    databases = [_secret(f"{service}-db-app", password=_random()) for service in SERVICES]
    return [
        *databases,
        _secret("postgres", password=_random()),
        _secret("orderloom-idempotency", secret=_random()),
        _secret("orderloom-jwks", **{"jwks.json": jwks}),
        _secret("gateway-signing-key", **{"signing.pem": signing_key}),
        _secret("gateway-administrator", password=_random()),
    ]


def _signing_key() -> tuple[str, str]:
    """The private key, and the key set that follows from it."""
    with TemporaryDirectory() as folder:
        signing_key, jwks = Path(folder) / "signing.pem", Path(folder) / "jwks.json"
        keys.ensure(signing_key, jwks)
        return signing_key.read_text(), jwks.read_text()


def _secret(name: str, **values: str) -> Resource:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}


def _random() -> str:
    return token_hex(SECRET_BYTES)


if __name__ == "__main__":
    sys.exit(main())
