"""Tokens that somebody made up: each service refuses them all, and says so in the same way."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chassis.tokens import LEEWAY_SECONDS
from order_world import SALES
from stack import KEY, KEY_ID, Running

STRANGERS_KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key()
FORMS_OF_THE_PUBLIC_KEY = {
    "raw": PUBLIC.public_bytes(Encoding.Raw, PublicFormat.Raw),
    "pem": PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "jwk": json.dumps(jwt.algorithms.OKPAlgorithm.to_jwk(PUBLIC, as_dict=True)).encode(),
}


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    members: dict[str, Any] = {"sub": "wang", "kind": "user", "roles": ["administrator", "sales"], "client_id": None}
    members |= {"iss": "orderloom", "aud": "orderloom", "iat": now, "exp": now + 600}
    return members | changes


def signed(
    key: Ed25519PrivateKey = KEY, *, headers: dict[str, Any] | None = None, without: str = "", **changes: Any
) -> str:
    sent = {name: value for name, value in claims(**changes).items() if name != without}
    return jwt.encode(sent, key, algorithm="EdDSA", headers={"kid": KEY_ID} | (headers or {}))


def part(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], signature: bytes = b"") -> str:
    """What no library would make."""
    return f"{part(header)}.{part(claims())}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def mac_with(secret: bytes) -> str:
    """The public key, which everyone knows, taken for the secret of an HMAC."""
    text = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': KEY_ID})}.{part(claims())}"
    mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def strangers_jwk() -> dict[str, Any]:
    return dict(jwt.algorithms.OKPAlgorithm.to_jwk(STRANGERS_KEY.public_key(), as_dict=True)) | {"kid": KEY_ID}


def own_signature() -> bytes:
    return base64.urlsafe_b64decode(signed().split(".")[2] + "==")


NOW = int(time.time())
FORGED = {
    "no algorithm": by_hand({"alg": "none", "kid": KEY_ID}),
    "no algorithm, in other letters": by_hand({"alg": "nOnE", "kid": KEY_ID}),
    "no algorithm, with a signature": by_hand({"alg": "none", "kid": KEY_ID}, own_signature()),
    **{f"the public key as a secret ({form})": mac_with(key) for form, key in FORMS_OF_THE_PUBLIC_KEY.items()},
    "another algorithm": jwt.encode(
        claims(), rsa.generate_private_key(65537, 2048), algorithm="RS256", headers={"kid": KEY_ID}
    ),
    "a stranger's key under our id": signed(STRANGERS_KEY),
    "a stranger's key in the header": signed(STRANGERS_KEY, headers={"jwk": strangers_jwk()}),
    "a stranger's address of keys": signed(STRANGERS_KEY, headers={"jku": "http://127.0.0.1:9/jwks.json"}),
    "a stranger's certificate": signed(STRANGERS_KEY, headers={"x5u": "http://127.0.0.1:9/", "x5c": ["MIIB"]}),
    "an unknown key id": signed(headers={"kid": "another"}),
    "a path as a key id": signed(STRANGERS_KEY, headers={"kid": "../../../dev/null"}),
    "a statement as a key id": signed(STRANGERS_KEY, headers={"kid": "' OR 1=1 --"}),
    "another audience": signed(aud="another"),
    "the audience of devices": signed(aud="orderloom devices"),
    "another issuer": signed(iss="https://elsewhere.example"),
    "expired": signed(exp=NOW - LEEWAY_SECONDS - 1),
    "not valid yet": signed(nbf=NOW + 3600),
    "issued in the future": signed(iat=NOW + 3600),
    **{f"without {name}": signed(without=name) for name in ("sub", "iss", "aud", "iat", "exp")},
    "of nobody": signed(sub=""),
    "of a number": signed(sub=1),
    "of a kind that we do not know": signed(kind="root"),
    "of a client without a company": signed(kind="client", roles=["client"]),
    "with roles that are no list": signed(roles="administrator"),
    "with a company that is no id": signed(kind="client", client_id="' OR 1=1"),
    "with the body changed": ".".join((signed().split(".")[0], part(claims(sub="admin")), signed().split(".")[2])),
    "with what we do not understand": signed(headers={"crit": ["exp"], "b64": False}),
    "a header nested too deeply": base64.urlsafe_b64encode(b"[" * 20_000).decode() + ".e30.e30",
    "no token": "x.y.z",
    "nothing": "",
}


@pytest.mark.parametrize("kind", FORGED)
async def test_a_token_that_somebody_made_up_opens_nothing(order_service_of_all: Running, kind: str) -> None:
    sent = {"Authorization": f"Bearer {FORGED[kind]}"}
    for method, path in (("GET", "/orders"), ("PUT", "/exchange-rates")):
        answer = await order_service_of_all.request(method, path, headers=sent, json={"rates": []})
        assert (answer.status_code, answer.json()["type"]) == (401, "not-signed-in"), answer.text
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_tokens_above_fail_for_what_is_wrong_in_them_and_not_for_something_else(
    order_service_of_all: Running,
) -> None:
    answer = await order_service_of_all.get("/orders", headers={"Authorization": f"bearer {signed()}"})
    assert answer.status_code == 200, answer.text
    for scheme in ("Basic", "Token", ""):
        sent = {"Authorization": f"{scheme} {signed()}".strip()}
        assert (await order_service_of_all.get("/orders", headers=sent)).status_code == 401


async def test_no_header_but_the_token_says_who_one_is(order_service_of_all: Running) -> None:
    pretended = {
        "X-User": "admin",
        "X-Forwarded-User": "admin",
        "Orderloom-Actor": "user:admin",
        "X-Roles": "administrator",
        "Cookie": f"orderloom_session={signed()}",
        "X-Api-Key": "olk_1",
    }
    assert (await order_service_of_all.get("/orders", headers=pretended)).status_code == 401
    refused = await order_service_of_all.put(
        "/exchange-rates", SALES, json={"rates": []}, headers={"X-Roles": "administrator"}
    )
    assert refused.status_code == 403


async def test_strangers_with_unknown_keys_make_a_service_ask_for_the_keys_seldom(
    order_service_of_all: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = order_service_of_all.api.state.verifier
    assert (await order_service_of_all.get("/orders", SALES)).status_code == 200
    asked = []

    async def away() -> dict[str, object]:
        asked.append(1)
        raise OSError("the keys are away")

    monkeypatch.setattr(verifier, "_read", away)
    monkeypatch.setattr(verifier, "_read_at", float("-inf"))
    unknown = {"Authorization": f"Bearer {FORGED['an unknown key id']}"}
    answers = [(await order_service_of_all.get("/orders", headers=unknown)).status_code for _ in range(5)]
    assert (answers, len(asked)) == ([503, 401, 401, 401, 401], 1)
    assert (await order_service_of_all.get("/orders", SALES)).status_code == 200
