"""Who is asking: JSON Web Tokens (RFC 7519), signed with EdDSA, verified with the public keys of a JWKS (RFC 7517)."""

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import httpx
import jwt

from chassis.errors import Refusal
from chassis.principal import Principal

ALGORITHMS = ["EdDSA"]
RELOAD_SECONDS = 10
"""At most so often are the keys read again for a token signed with an unknown one."""
KEYS_KEPT_SECONDS = 300
"""After so long they are read again, so that a key that was taken away is trusted no longer."""
LEEWAY_SECONDS = 30
VERIFIED_SECONDS = 60.0
VERIFIED_MAX = 1_000


class NotSignedIn(Refusal):
    """No token, or one that nobody should trust."""

    status = 401


class KeysAway(OSError):
    """Nobody can be recognised while the keys cannot be read; that goes away by itself."""


class Verifier:
    """Reads the keys when the first token comes, when one names a key that is not among them, and now and then."""

    def __init__(self, jwks: str, *, issuer: str, audience: str) -> None:
        self._jwks = jwks
        self._issuer = issuer
        self._audience = audience
        self._keys: dict[str, jwt.PyJWK] = {}
        self._verified: dict[str, tuple[float, Principal]] = {}
        self._read_at = float("-inf")

    async def principal(self, token: str) -> Principal:
        """Raises `NotSignedIn`. The same token comes again and again: its signature is checked once a minute."""
        until, principal = self._verified.get(token, (0.0, None))
        if principal is None or time.monotonic() > until:
            principal, seconds_left = await self._verify(token)
            if len(self._verified) >= VERIFIED_MAX:
                self._verified.clear()
            self._verified[token] = (time.monotonic() + min(seconds_left, VERIFIED_SECONDS), principal)
        return principal

    async def read_keys(self) -> int:
        """Read the keys, for somebody who wants to know whether they can be read, and return how many there are."""
        return len(jwt.PyJWKSet.from_dict(await self._read()).keys)

    async def _verify(self, token: str) -> tuple[Principal, float]:
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid", ""))
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "iss", "aud"]},
            )
            return _principal(claims), claims["exp"] + LEEWAY_SECONDS - time.time()
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError) as reason:
            raise NotSignedIn(f"The token is not valid: {reason}. Sign in again.") from reason

    async def _key(self, key_id: str) -> jwt.PyJWK:
        age_seconds = time.monotonic() - self._read_at
        if key_id not in self._keys and age_seconds > RELOAD_SECONDS:
            self._read_at = time.monotonic() if self._keys else float("-inf")  # strangers' tokens ask seldom
            await self._reload()
        elif age_seconds > KEYS_KEPT_SECONDS:
            self._read_at = time.monotonic()
            with suppress(KeysAway, OSError, ValueError):  # those that are known serve on
                await self._reload()
        if key_id not in self._keys:
            raise NotSignedIn("The token is signed with a key that is not trusted here. Sign in again.")
        return self._keys[key_id]

    async def _reload(self) -> None:
        self._keys = {key.key_id or "": key for key in jwt.PyJWKSet.from_dict(await self._read()).keys}
        self._read_at = time.monotonic()

    async def _read(self) -> dict[str, object]:
        if self._jwks.startswith(("http://", "https://")):
            try:
                async with httpx.AsyncClient(timeout=5) as client:
                    document: dict[str, object] = (await client.get(self._jwks)).raise_for_status().json()
            except httpx.HTTPError as reason:
                raise KeysAway(f"The keys of tokens cannot be read: {reason!r}") from reason
        else:
            document = json.loads(await asyncio.to_thread(Path(self._jwks).read_text))
        return document


def _principal(claims: dict[str, object]) -> Principal:
    kind, client_id, roles = claims.get("kind", "user"), claims.get("client_id"), claims.get("roles", [])
    if kind not in ("user", "client", "integration") or not isinstance(roles, list):
        raise ValueError("its claims are not ours")
    if kind == "client" and not client_id:
        raise ValueError("a client's token names no client")
    if not claims["sub"]:
        raise ValueError("it names nobody")
    return Principal(
        user_id=str(claims["sub"]),
        kind=str(kind),
        roles=frozenset(map(str, roles)),
        client_id=UUID(str(client_id)) if client_id else None,
        token_id=str(claims["jti"]) if "jti" in claims else None,
        issued_at=float(str(claims["iat"])),
    )
