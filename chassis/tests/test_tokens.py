"""A token is trusted for as long as it says, and no longer because it was trusted before."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.tokens import LEEWAY_SECONDS, VERIFIED_MAX, NotSignedIn, Verifier

KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def verifier(tmp_path: Path) -> Verifier:
    key = jwt.algorithms.OKPAlgorithm.to_jwk(KEY.public_key(), as_dict=True) | {"kid": "1", "alg": "EdDSA"}
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [key]}))
    return Verifier(str(tmp_path / "jwks.json"), issuer="orderloom", audience="orderloom")


def token(*, good_for: timedelta, user_id: str = "u-1") -> str:
    now = datetime.now(UTC)
    claims = {"sub": user_id, "iss": "orderloom", "aud": "orderloom", "iat": now, "exp": now + good_for}
    return jwt.encode(claims, KEY, algorithm="EdDSA", headers={"kid": "1"})


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
