"""The key the gateway signs tokens with, and the public half every service verifies them by."""

import base64
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from orderloom.folder import write_private


def ensure(signing_key: Path, jwks: Path) -> None:
    """Make the Ed25519 key (PKCS 8 PEM, mode 0600) once, and see that the key set has its public half."""
    if not signing_key.exists():
        write_private(signing_key, new_signing_key())
    known = json.loads(jwks.read_text())["keys"] if jwks.exists() else []
    ours = public_half(signing_key)
    if ours not in known:
        fresh = jwks.with_suffix(".new")
        fresh.write_text(json.dumps({"keys": [ours, *known]}))
        fresh.replace(jwks)


def public_half(signing_key: Path) -> dict[str, str]:
    """Raises `ValueError` for another kind of key."""
    private = load_pem_private_key(signing_key.read_bytes(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError(f"{signing_key} does not hold an Ed25519 key.")
    return jwk(private.public_key())


def new_signing_key() -> str:
    """An Ed25519 key as PKCS 8 PEM, without a password."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """Return the JWK (RFC 8037), named by its thumbprint (RFC 7638)."""
    required = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(key.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":"))
    thumbprint = _base64url(hashlib.sha256(canonical.encode()).digest())
    return required | {"kid": thumbprint, "alg": "EdDSA", "use": "sig"}


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
