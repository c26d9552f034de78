"""A token is trusted for as long as it says, and no longer because it was trusted before."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis import tokens
from chassis.tokens import LEEWAY_SECONDS, VERIFIED_MAX, NotSignedIn, Verifier

KEYS = {"1": Ed25519PrivateKey.generate(), "2": Ed25519PrivateKey.generate()}


@pytest.fixture
def verifier(tmp_path: Path) -> Verifier:
    trust(tmp_path, "1")
    return Verifier(str(tmp_path / "jwks.json"), issuer="orderloom", audience="orderloom")


def trust(folder: Path, *names: str) -> None:
    public = {name: jwt.algorithms.OKPAlgorithm.to_jwk(KEYS[name].public_key(), as_dict=True) for name in names}
    keys = [key | {"kid": name, "alg": "EdDSA"} for name, key in public.items()]
    (folder / "jwks.json").write_text(json.dumps({"keys": keys}))


def token(*, good_for: timedelta = timedelta(hours=1), user_id: str = "u-1", key: str = "1") -> str:
    now = datetime.now(UTC)
    claims = {"sub": user_id, "iss": "orderloom", "aud": "orderloom", "iat": now, "exp": now + good_for}
    return jwt.encode(claims, KEYS[key], algorithm="EdDSA", headers={"kid": key})


async def test_a_token_that_was_trusted_is_refused_once_it_has_expired(verifier: Verifier) -> None:
    short = token(good_for=timedelta(seconds=2 - LEEWAY_SECONDS))
    assert (await verifier.principal(short)).user_id == "u-1"
    await asyncio.sleep(2.1)
    with pytest.raises(NotSignedIn):
        await verifier.principal(short)


async def test_a_changed_token_is_not_the_one_that_was_trusted(verifier: Verifier) -> None:
    good = token(good_for=timedelta(hours=1))
    await verifier.principal(good)
    header, _, signature = good.split(".")
    other = token(good_for=timedelta(hours=1), user_id="u-2").split(".")[1]
    with pytest.raises(NotSignedIn):
        await verifier.principal(f"{header}.{other}.{signature}")


async def test_the_memory_of_tokens_is_bounded(verifier: Verifier) -> None:
    for number in range(VERIFIED_MAX + 5):
        await verifier.principal(token(good_for=timedelta(hours=1), user_id=f"u-{number}"))
    assert len(verifier._verified) <= VERIFIED_MAX


async def test_tokens_of_the_old_key_and_of_the_new_one_are_trusted_while_both_are_in_the_set(
    verifier: Verifier, tmp_path: Path
) -> None:
    await verifier.principal(token(key="1"))
    trust(tmp_path, "1", "2")
    await _let_pass(verifier, tokens.RELOAD_SECONDS)
    assert await verifier.principal(token(key="2"))
    assert await verifier.principal(token(key="1", user_id="u-2"))


async def test_a_key_that_was_taken_out_of_the_set_is_trusted_no_longer_without_a_restart(
    verifier: Verifier, tmp_path: Path
) -> None:
    await verifier.principal(token(key="1"))
    trust(tmp_path, "2")
    assert await verifier.principal(token(key="1", user_id="u-2"))  # it has not been looked again yet
    await _let_pass(verifier, tokens.KEYS_KEPT_SECONDS)
    with pytest.raises(NotSignedIn):
        await verifier.principal(token(key="1", user_id="u-3"))
    assert await verifier.principal(token(key="2"))


async def test_while_the_set_cannot_be_read_the_keys_that_are_known_serve_on(
    verifier: Verifier, tmp_path: Path
) -> None:
    await verifier.principal(token(key="1"))
    (tmp_path / "jwks.json").write_text("half of it")
    await _let_pass(verifier, tokens.KEYS_KEPT_SECONDS)
    assert await verifier.principal(token(key="1", user_id="u-2"))


async def _let_pass(verifier: Verifier, seconds: float) -> None:
    """As if the keys had been read so long ago."""
    verifier._read_at -= seconds + 1
