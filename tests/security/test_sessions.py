"""Signing in and out: what a browser keeps, what other sites can do with it, and who is shut out by guesses."""

import asyncio
import re
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
from gateway_world import ADMINISTRATOR, SALES

from chassis.clock import utc_now
from chassis.principal import Principal
from portal import operations
from portal.app import service
from portal.models.sign_out import KEPT_FOR
from portal.settings import Settings
from portal.signing import OF_PEOPLE
from stack import Running

PASSWORD = "correct horse"
WANG: dict[str, Any] = {"user_id": "wang", "name": "Wang", "locale": "en", "roles": ["sales"], "password": PASSWORD}
PAGE = re.compile(r'name="(\w+)" value="([^"]*)"')


@pytest.fixture
async def gateway(gateway_of_all: Running) -> Running:
    """With one person."""
    answer = await gateway_of_all.post("/users", ADMINISTRATOR, json=WANG)
    assert answer.status_code == 201, answer.text
    return gateway_of_all


async def signed_in(gateway: Running, password: str = PASSWORD, **headers: str) -> httpx.Response:
    """By a program, which keeps no cookies."""
    answer = await gateway.post("/auth/sign-in", json={"user": "wang", "password": password}, headers=headers)
    gateway.http.cookies.clear()
    return answer


def bearer(answer: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def cookies_of(answer: httpx.Response) -> SimpleCookie:
    cookies = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        cookies.load(header)
    return cookies


async def me(gateway: Running, headers: dict[str, str]) -> int:
    return (await gateway.get("/auth/me", headers=headers)).status_code


async def test_a_cookie_that_was_there_before_the_sign_in_is_never_kept(gateway: Running) -> None:
    planted = SALES.token(sub="mallory")
    form = dict(PAGE.findall((await gateway.get("/sign-in")).text))
    gateway.http.cookies.set("orderloom_session", planted)
    answer = await gateway.post("/sign-in", data=form | {"user": "wang", "password": PASSWORD})
    assert answer.status_code == 303
    kept = cookies_of(answer)["orderloom_session"].value
    gateway.http.cookies.clear()
    again = cookies_of(await signed_in(gateway))["orderloom_session"].value
    assert len({planted, kept, again}) == 3
    assert (await gateway.get("/auth/me", headers={"Cookie": f"orderloom_session={kept}"})).json()["user_id"] == "wang"


async def test_cookies_are_read_by_no_script_and_sent_by_no_other_site(gateway: Running) -> None:
    gateway.api.state.settings = gateway.settings.model_copy(update={"cookies_need_https": True})
    cookies = cookies_of(await signed_in(gateway)) | cookies_of(await gateway.get("/sign-in"))
    assert set(cookies) == {"orderloom_session", "orderloom_device", "orderloom_form"}
    for name, cookie in cookies.items():
        assert (cookie["httponly"], cookie["secure"], cookie["domain"]) == (True, True, ""), name
        assert cookie["samesite"] == ("lax" if name == "orderloom_session" else "strict"), name
    assert int(cookies["orderloom_session"]["max-age"]) == OF_PEOPLE.total_seconds()


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
async def test_a_form_of_another_site_does_nothing(gateway: Running, path: str) -> None:
    token = (await signed_in(gateway)).json()["token"]
    gateway.http.cookies.set("orderloom_session", token)
    for forged in ({}, {"form": "", "csrf": ""}, {"form": "guess", "csrf": "guess"}, {"form": "é", "csrf": "é"}):
        answer = await gateway.post(path, data=forged | {"user": "wang", "password": PASSWORD})
        assert "orderloom_session" not in cookies_of(answer)
        assert await me(gateway, {"Authorization": f"Bearer {token}"}) == 200


async def test_another_sites_form_cannot_pass_for_a_program(gateway: Running) -> None:
    body = '{"user": "wang", "password": "correct horse", "x": "="}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await gateway.post("/auth/sign-in", content=body, headers={"Content-Type": kind})
        assert (answer.status_code, cookies_of(answer)) == (422, {}), kind


async def test_what_changes_something_by_the_cookie_needs_the_secret_of_that_very_session(gateway: Running) -> None:
    first, second = (await signed_in(gateway)), (await signed_in(gateway))
    cookie = {"Cookie": f"orderloom_session={first.json()['token']}"}
    for csrf in ("", "guess", second.json()["csrf"], "é"):
        sent = cookie | {"X-Orderloom-Csrf": csrf}
        answer = await gateway.post("/auth/sign-out", headers={k: v.encode() for k, v in sent.items()})
        assert answer.status_code == 401, csrf
    sent = cookie | {"X-Orderloom-Csrf": first.json()["csrf"]}
    assert (await gateway.post("/auth/sign-out", headers=sent)).status_code == 204


async def test_signing_out_takes_the_token_back_and_no_other(gateway: Running) -> None:
    one, other = bearer(await signed_in(gateway)), bearer(await signed_in(gateway))
    assert (await gateway.post("/auth/sign-out", headers=one)).status_code == 204
    by_cookie = {"Cookie": one["Authorization"].replace("Bearer ", "orderloom_session=")}
    assert [await me(gateway, each) for each in (one, by_cookie, other)] == [401, 401, 200]
    for path in ("/api/order/orders", "/work/orders"):
        refused = await gateway.get(path, headers=one)
        assert (refused.status_code, refused.json()["type"]) == (401, "not-signed-in")
    assert (await gateway.get("/", headers=by_cookie)).status_code == 303


async def test_the_form_to_sign_out_takes_the_token_back_too(gateway: Running) -> None:
    answer = await signed_in(gateway)
    gateway.http.cookies.set("orderloom_session", answer.json()["token"])
    out = await gateway.post("/sign-out", data={"csrf": answer.json()["csrf"]})
    cleared = cookies_of(out)["orderloom_session"]
    assert (cleared.value, cleared["max-age"]) == ("", "0")
    assert await me(gateway, bearer(answer)) == 401


async def test_people_change_their_own_password_and_everyone_else_who_is_them_is_signed_out(gateway: Running) -> None:
    mine, thiefs = await signed_in(gateway), await signed_in(gateway)
    body = {"present_password": PASSWORD, "new_password": "better horse"}
    changed = await gateway.post("/auth/password", headers=bearer(mine), json=body)
    assert (changed.status_code, changed.json()["user"]["user_id"]) == (200, "wang"), changed.text
    assert [await me(gateway, bearer(each)) for each in (mine, thiefs, changed)] == [401, 401, 200]
    assert (await signed_in(gateway)).status_code == 401
    assert (await signed_in(gateway, "better horse")).status_code == 200


async def test_a_password_is_changed_by_nobody_who_does_not_know_it(gateway: Running) -> None:
    found = bearer(await signed_in(gateway))
    body = {"present_password": "guess", "new_password": "better horse"}
    answers = [await gateway.post("/auth/password", headers=found, json=body) for _ in range(11)]
    assert [each.status_code for each in answers] == [403] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 60
    assert (await gateway.post("/auth/password", json=body)).status_code == 401
    system = await gateway.post("/api-keys", ADMINISTRATOR, json={"system": "erp", "scopes": ["orders:read"]})
    keyed = {"X-Api-Key": system.json()["key"]}
    assert (await gateway.post("/auth/password", headers=keyed, json=body)).status_code == 403
    weak = await gateway.post("/auth/password", headers=found, json=body | {"new_password": "short"})
    assert weak.status_code == 422


@pytest.mark.parametrize(
    "change", [{"active": False}, {"roles": ["sales", "finance"]}, {"roles": []}], ids=["access", "more", "less"]
)
async def test_whose_access_or_roles_change_is_signed_out_at_once(gateway: Running, change: dict[str, Any]) -> None:
    token = bearer(await signed_in(gateway))
    whole = {"name": "Wang", "locale": "en", "roles": ["sales"], "active": True}
    assert (await gateway.put("/users/wang", ADMINISTRATOR, json=whole | {"name": "Wang Lin"})).status_code == 200
    assert await me(gateway, token) == 200
    assert (await gateway.put("/users/wang", ADMINISTRATOR, json=whole | change)).status_code == 200
    assert await me(gateway, token) == 401


async def test_a_password_set_by_an_administrator_signs_its_owner_out(gateway: Running) -> None:
    token = bearer(await signed_in(gateway))
    assert (
        await gateway.post("/users/wang/password", ADMINISTRATOR, json={"password": "new horse"})
    ).status_code == 204
    assert await me(gateway, token) == 401


async def test_sign_outs_are_forgotten_once_no_token_is_so_old(gateway: Running) -> None:
    now = utc_now()
    person = Principal(user_id="wang", token_id="t")
    async with gateway.database.transaction() as session:
        await operations.sign_out(session, person, now=now - KEPT_FOR - timedelta(seconds=1))
        await operations.sign_out_everywhere(session, "wang", now=now)
        await operations.forget_old_sign_outs(session, now=now)
    assert [row["whose"] for row in await gateway.rows("SELECT whose FROM sign_outs")] == ["user wang"]
    assert KEPT_FOR > OF_PEOPLE


async def test_guesses_from_elsewhere_do_not_shut_someone_out_of_their_own_browser(gateway: Running) -> None:
    own = {"Cookie": f"orderloom_device={cookies_of(await signed_in(gateway))['orderloom_device'].value}"}
    guesses = await asyncio.gather(*(signed_in(gateway, "guess") for _ in range(12)))
    assert sorted(each.status_code for each in guesses) == [401] * 10 + [429] * 2
    assert (await signed_in(gateway)).status_code == 429
    assert (await signed_in(gateway, **own)).status_code == 200
    in_own = [(await signed_in(gateway, "guess", **own)).status_code for _ in range(11)]
    assert in_own == [401] * 10 + [429]


async def test_a_device_is_its_owners_and_opens_nothing(gateway: Running) -> None:
    other = WANG | {"user_id": "mallory", "password": PASSWORD}
    await gateway.post("/users", ADMINISTRATOR, json=other)
    sign_in = await gateway.post("/auth/sign-in", json={"user": "mallory", "password": PASSWORD})
    device = cookies_of(sign_in)["orderloom_device"].value
    gateway.http.cookies.clear()
    assert await me(gateway, {"Authorization": f"Bearer {device}"}) == 401
    assert await me(gateway, {"Cookie": f"orderloom_session={device}"}) == 401
    for foreign in (device, sign_in.json()["token"], "x", "[" * 5000, ""):
        gateway.http.cookies.clear()
        await asyncio.gather(*(signed_in(gateway, "guess") for _ in range(10)))
        assert (await signed_in(gateway, Cookie=f"orderloom_device={foreign}")).status_code == 429


async def test_unknown_keys_open_nothing_however_they_look(gateway: Running) -> None:
    issued = await gateway.post("/api-keys", ADMINISTRATOR, json={"system": "erp", "scopes": ["orders:read"]})
    key = issued.json()["key"]
    for guess in (key[:-1], key + "x", key.upper(), key[:12], "olk_", "' OR 1=1 --", "x" * 5000):
        answer = await gateway.get("/work/orders", headers={"X-Api-Key": guess})
        assert (answer.status_code, key in answer.text) == (401, False), guess
    assert (await gateway.get("/work/orders", headers={"X-Api-Key": key})).status_code == 200


async def test_a_system_acts_within_its_scopes_and_no_role_is_a_scope(gateway: Running) -> None:
    for scopes in ([], ["administrator"], ["orders:read", "sales"], ["*"], ["orders:*"]):
        asked = {"system": "erp", "scopes": scopes}
        assert (await gateway.post("/api-keys", ADMINISTRATOR, json=asked)).status_code == 422, scopes
    for role in ("orders:write", "Admin", "", "a b"):
        answer = await gateway.put(
            "/users/wang", ADMINISTRATOR, json={"name": "W", "locale": "en", "roles": [role], "active": True}
        )
        assert answer.status_code == 422, role


def test_cookies_are_for_https_alone_where_the_deployment_says_so() -> None:
    assert service.settings is Settings
    assert Settings.model_fields["cookies_need_https"].default is False
