"""Signs the tokens that every service trusts: JSON Web Tokens (RFC 7519) with EdDSA."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from chassis.principal import Principal

OF_PEOPLE = timedelta(hours=1)
OF_SYSTEMS = timedelta(minutes=5)
"""How long tokens are good. Signing out takes them back at the gateway; a service behind it does not hear of that."""
OF_DEVICES = timedelta(days=180)


class NotAnEd25519Key(Exception): ...


@dataclass(frozen=True)
class Token:
    text: str
    expires_in_seconds: int


class Signer:
    """Holds the one private key of the platform. Raises `NotAnEd25519Key` for a file with another kind."""

    def __init__(self, key_file: Path, *, issuer: str, audience: str) -> None:
        key = load_pem_private_key(key_file.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise NotAnEd25519Key(f"{key_file} does not hold an Ed25519 key.")
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._of_devices = f"{audience} devices"
        self._jwk = _jwk(key)

    @property
    def jwks(self) -> dict[str, Any]:
        """The key set (RFC 7517) by which the tokens are verified."""
        return {"keys": [self._jwk]}

    def sign(self, principal: Principal, *, now: datetime) -> Token:
        """A token that says who is asking: for an hour a person, for five minutes a system."""
        good_for = OF_SYSTEMS if principal.kind == "integration" else OF_PEOPLE
        claims = {
            "sub": principal.user_id,
            "kind": principal.kind,
            "roles": sorted(principal.roles),
            "client_id": str(principal.client_id) if principal.client_id else None,
            "iss": self._issuer,
            "aud": self._audience,
            "iat": now.timestamp(),
            "exp": int((now + good_for).timestamp()),
            "jti": secrets.token_hex(16),
        }
        return Token(self._encoded(claims), int(good_for.total_seconds()))

    def sign_device(self, user_id: str, *, now: datetime) -> str:
        """What a browser keeps that someone has signed in from. It is for another audience: it opens nothing."""
        expires_at = int((now + OF_DEVICES).timestamp())
        claims = {"sub": user_id, "aud": self._of_devices, "exp": expires_at, "jti": secrets.token_hex(16)}
        return self._encoded(claims)

    def device_of(self, device: str, *, user_id: str) -> str | None:
        """The id of the device, if it is one that `user_id` has signed in from."""
        try:
            claims = jwt.decode(
                device,
                self._key.public_key(),
                algorithms=["EdDSA"],
                audience=self._of_devices,
                options={"require": ["exp", "sub", "aud", "jti"]},
            )
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            return None
        return str(claims["jti"]) if claims["sub"] == user_id else None

    def _encoded(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._jwk["kid"]})


def _jwk(key: Ed25519PrivateKey) -> dict[str, str]:
    """The public half (RFC 8037), named by its thumbprint (RFC 7638)."""
    octets = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    required = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(octets)}
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":"))
    return required | {"kid": _base64url(hashlib.sha256(canonical.encode()).digest()), "alg": "EdDSA", "use": "sig"}


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
