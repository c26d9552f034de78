"""Signing in: tokens that every service trusts, guesses that have to wait, cookies that prove where they come from."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from gateway_world import ADMINISTRATOR, CLIENT, DIRECTORY, SALES
from pydantic import SecretStr

from chassis.clock import utc_now
from chassis.principal import Principal
from chassis.tokens import NotSignedIn, Verifier
from orderloom import keys
from portal.app import keep_people_able_to_sign_in
from portal.signing import Signer
from stack import Running

PASSWORD = "correct horse"
WANG = {
    "user_id": "wang",
    "name": "王琳",
    "email": "Wang@Example.com",
    "locale": "en",
    "roles": ["sales"],
    "password": PASSWORD,
}


async def register(gateway: Running, **changes: Any) -> None:
    answer = await gateway.post("/users", ADMINISTRATOR, json=WANG | changes)
    assert answer.status_code == 201, answer.text


async def sign_in(gateway: Running, user: str = "wang", password: str = PASSWORD) -> httpx.Response:
    return await gateway.post("/auth/sign-in", json={"user": user, "password": password})


async def test_a_token_is_what_every_service_verifies_by_the_published_keys(gateway: Running, tmp_path: Path) -> None:
    await register(gateway)
    answer = await sign_in(gateway)
    assert (answer.status_code, answer.json()["expires_in"], answer.json()["user"]["kind"]) == (200, 3600, "user")
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps((await gateway.get("/.well-known/jwks.json")).json()))
    principal = await Verifier(str(jwks), issuer="orderloom", audience="orderloom").principal(answer.json()["token"])
    assert (principal.actor, list(principal.roles), principal.client_id) == ("user:wang", ["sales"], None)
    with pytest.raises(NotSignedIn):
        await Verifier(str(jwks), issuer="orderloom", audience="another").principal(answer.json()["token"])


async def test_a_client_persons_token_names_their_company(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY)
    await register(gateway, roles=["client"], client_code="C-0017")
    token = (await sign_in(gateway, "wang@example.com")).json()["token"]
    me = (await gateway.get("/auth/me", headers={"Authorization": f"Bearer {token}"})).json()
    assert (me["kind"], me["client_id"], me["roles"]) == ("client", str(CLIENT.client_id), ["client"])


async def test_wrong_password_unknown_user_and_inactive_user_are_told_the_same(gateway: Running) -> None:
    await register(gateway)
    await register(gateway, user_id="gone", email=None)
    gone = {name: WANG[name] for name in ("name", "locale", "roles")} | {"active": False}
    assert (await gateway.put("/users/gone", ADMINISTRATOR, json=gone)).status_code == 200
    await register(gateway, user_id="new", email=None, password=None)
    answers = [
        await sign_in(gateway, password="wrong"),
        await sign_in(gateway, "nobody"),
        await sign_in(gateway, "gone"),
        await sign_in(gateway, "new"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


async def test_an_unknown_user_takes_as_long_as_a_wrong_password(gateway: Running) -> None:
    await register(gateway)
    seconds: dict[str, list[float]] = {"wang": [], "nobody": []}
    for _ in range(5):
        for user, taken in seconds.items():
            started = time.perf_counter()
            await sign_in(gateway, user, "wrong")
            taken.append(time.perf_counter() - started)
    assert min(seconds["nobody"]) > min(seconds["wang"]) / 3


async def test_after_ten_failures_even_the_right_password_has_to_wait(gateway: Running) -> None:
    await register(gateway)
    failures = await asyncio.gather(
        *(sign_in(gateway, name, "wrong") for name in ["wang", "WANG", "wang@example.com"] * 4)
    )
    assert sorted(answer.status_code for answer in failures) == [401] * 10 + [429] * 2
    locked = await sign_in(gateway)
    assert locked.status_code == 429
    assert 0 < int(locked.headers["Retry-After"]) <= 300
    assert (await sign_in(gateway, "somebody-else")).status_code == 401


async def test_a_success_lets_failures_be_forgotten(gateway: Running) -> None:
    await register(gateway)
    for _ in range(2):
        assert [(await sign_in(gateway, password="wrong")).status_code for _ in range(9)] == [401] * 9
        assert (await sign_in(gateway)).status_code == 200


async def test_before_there_is_a_user_nobody_is_refused_for_a_wrong_password(gateway: Running) -> None:
    assert (await sign_in(gateway, "admin")).status_code == 503


async def test_the_first_administrator_is_made_once_and_told_to_everyone(gateway: Running, signing_key: Path) -> None:
    gateway.worker.settings = gateway.settings.model_copy(update={"admin_password": SecretStr(PASSWORD)})
    duties = [asyncio.create_task(keep_people_able_to_sign_in(gateway.worker)) for _ in range(2)]
    while (await sign_in(gateway, "admin")).status_code != 200:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    for duty in duties:
        duty.cancel()
    (told,) = await gateway.told("user.registered.v1", topic="directory")
    assert (told["key"], told["data"]["roles"], told["data"]["active"]) == ("admin", ["administrator"], True)
    assert await gateway.count("users") == 1


async def test_the_cookie_reads_but_changes_something_only_with_the_csrf_header(gateway: Running) -> None:
    await register(gateway, roles=["administrator"])
    await register(gateway, user_id="zhao", email=None)
    answer = await sign_in(gateway)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert (await gateway.get("/auth/me")).json()["user_id"] == "wang"
    forged = await gateway.post("/users/zhao/password", json={"password": "another one"})
    assert forged.status_code == 401
    own = {"X-Orderloom-Csrf": answer.json()["csrf"]}
    assert (await gateway.post("/users/zhao/password", headers=own, json={"password": "new horse"})).status_code == 204
    assert (await gateway.post("/auth/sign-out", headers=own)).status_code == 204
    assert (await gateway.get("/auth/me")).status_code == 401


async def test_a_cookie_that_no_longer_counts_is_as_good_as_none(gateway: Running) -> None:
    gateway.http.cookies.set("orderloom_session", SALES.token(exp=1))
    assert (await gateway.get("/auth/me")).status_code == 401
    assert (await gateway.get("/sign-in")).status_code == 200


def test_a_key_that_is_put_in_place_of_another_signs_at_once_and_both_are_published(tmp_path: Path) -> None:
    first, second = new_key(tmp_path / "first.pem"), new_key(tmp_path / "second.pem")
    (tmp_path / "more-keys.json").write_text(json.dumps({"keys": [first, second]}))
    signing = tmp_path / "signing.pem"
    signing.write_bytes((tmp_path / "first.pem").read_bytes())
    signer = Signer(signing, issuer="orderloom", audience="orderloom", more_keys=tmp_path / "more-keys.json")
    known = signer.sign_device("wang", now=utc_now())
    assert [key["kid"] for key in signer.jwks["keys"]] == [first["kid"], second["kid"]]

    put(signing, (tmp_path / "second.pem").read_bytes())
    token = signer.sign(Principal(user_id="wang", kind="user", roles=frozenset()), now=utc_now()).text
    assert jwt.get_unverified_header(token)["kid"] == second["kid"]
    assert [key["kid"] for key in signer.jwks["keys"]] == [second["kid"], first["kid"]]
    assert signer.device_of(known, user_id="wang")

    (tmp_path / "more-keys.json").write_text(json.dumps({"keys": [second]}))
    assert signer.device_of(known, user_id="wang") is None


def test_a_key_that_is_half_written_changes_nothing(tmp_path: Path) -> None:
    signing = tmp_path / "signing.pem"
    key = new_key(signing)
    signer = Signer(signing, issuer="orderloom", audience="orderloom")
    put(signing, signing.read_bytes()[:40])
    assert [each["kid"] for each in signer.jwks["keys"]] == [key["kid"]]


def new_key(file: Path) -> dict[str, str]:
    """Its public half."""
    file.write_text(keys.new_signing_key())
    return keys.public_half(file)


def put(file: Path, content: bytes) -> None:
    """So that the change shows, however coarse the clock of the disk is."""
    changed_at_ns = file.stat().st_mtime_ns + 1_000_000
    file.write_bytes(content)
    os.utime(file, ns=(changed_at_ns, changed_at_ns))
