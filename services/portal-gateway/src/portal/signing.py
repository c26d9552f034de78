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
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from chassis.principal import Principal
from portal.settings import Settings

log = structlog.get_logger(__name__)

OF_PEOPLE = timedelta(hours=1)
OF_SYSTEMS = timedelta(minutes=5)
"""How long tokens are good. Signing out takes them back at the gateway; a service behind it does not hear of that."""
OF_DEVICES = timedelta(days=180)


class NotAnEd25519Key(Exception): ...


@dataclass(frozen=True)
class Token:
    text: str
    expires_in_seconds: int


@dataclass(frozen=True)
class SigningKey:
    private: Ed25519PrivateKey
    jwk: dict[str, str]
    changed_at_ns: int
    """When its file was."""

    @classmethod
    def read(cls, file: Path) -> "SigningKey":
        """Raises `NotAnEd25519Key`, `ValueError`, `OSError`."""
        changed_at_ns = file.stat().st_mtime_ns
        key = load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise NotAnEd25519Key(f"{file} does not hold an Ed25519 key.")
        return cls(key, _jwk(key), changed_at_ns)


class Signer:
    """Holds the one private key of the platform, and knows which others' public halves are trusted.

    Another key in its file signs from then on. Raises `NotAnEd25519Key` for a file with another kind.
    """

    def __init__(self, key_file: Path, *, issuer: str, audience: str, more_keys: Path | None = None) -> None:
        self._file = key_file
        self._kept = SigningKey.read(key_file)
        self._more_keys = more_keys
        self._issuer = issuer
        self._audience = audience
        self._of_devices = f"{audience} devices"

    @property
    def jwks(self) -> dict[str, Any]:
        """The key set (RFC 7517) by which the tokens are verified; the first is the one that signs."""
        ours = self._key.jwk
        others = json.loads(self._more_keys.read_text())["keys"] if self._more_keys else []
        return {"keys": [ours, *(key for key in others if key["kid"] != ours["kid"])]}

    @property
    def _key(self) -> SigningKey:
        """A file that cannot be read, because it is just being written, changes nothing."""
        try:
            if self._file.stat().st_mtime_ns != self._kept.changed_at_ns:
                self._kept = SigningKey.read(self._file)
        except (NotAnEd25519Key, ValueError, OSError) as reason:
            log.warning("signing_key_unreadable", reason=repr(reason))
        return self._kept

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
                self._public_key(jwt.get_unverified_header(device).get("kid")),
                algorithms=["EdDSA"],
                audience=self._of_devices,
                options={"require": ["exp", "sub", "aud", "jti"]},
            )
        except (jwt.PyJWTError, ValueError, RecursionError):
            return None
        return str(claims["jti"]) if claims["sub"] == user_id else None

    def _public_key(self, key_id: str | None) -> jwt.PyJWK:
        """Raises `InvalidKeyError` for one that is not trusted."""
        for key in self.jwks["keys"]:
            if key["kid"] == key_id:
                return jwt.PyJWK(key)
        raise jwt.InvalidKeyError("This key is not trusted.")

    def _encoded(self, claims: dict[str, Any]) -> str:
        key = self._key
        return jwt.encode(claims, key.private, algorithm="EdDSA", headers={"kid": key.jwk["kid"]})


def signer_of(settings: Settings) -> Signer:
    return Signer(
        settings.signing_key,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        more_keys=settings.more_keys,
    )


def _jwk(key: Ed25519PrivateKey) -> dict[str, str]:
    """The public half (RFC 8037), named by its thumbprint (RFC 7638)."""
    octets = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    required = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(octets)}
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":"))
    return required | {"kid": _base64url(hashlib.sha256(canonical.encode()).digest()), "alg": "EdDSA", "use": "sig"}


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
