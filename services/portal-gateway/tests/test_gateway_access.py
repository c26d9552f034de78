"""Users and API keys."""

from typing import Any

import pytest
from gateway_world import ADMINISTRATOR, CLIENT, DIRECTORY, ORDER, SALES, UNTIL_PLANNED, placed

from chassis.clock import utc_now
from contracts.order import External
from portal.models import ApiKey, Client, User
from portal.models.api_key import SystemNameReserved
from portal.models.user import OwnAdministrationKept, RolesOfAClientPerson, SignInAttempts, TooManyFailures
from stack import Running, Who, problems

LI = {"user_id": "li.na", "name": "李娜", "email": "li@example.com", "locale": "zh-CN", "roles": ["sales_manager"]}
CHANGED = {"name": "Li Na", "locale": "en", "roles": ["sales_manager", "sales"], "active": True}
COMPANY = Client(client_id=CLIENT.client_id, code="C-0017", name="Haiyue")


def user(**changes: Any) -> User:
    members: dict[str, Any] = {"user_id": "li", "name": "Li", "email": None, "locale": "en", "password_hash": None}
    return User.register(**members | {"client": None, "roles": [], "now": utc_now()} | changes)


def test_rule_33_a_client_person_has_the_role_client_and_no_other() -> None:
    assert user(client=COMPANY, roles=["client"]).principal.client_id == CLIENT.client_id
    for wrong in (
        {"client": COMPANY, "roles": ["client", "sales"]},
        {"client": COMPANY, "roles": ["sales"]},
        {"client": COMPANY, "roles": []},
        {"client": None, "roles": ["client"]},
    ):
        with pytest.raises(RolesOfAClientPerson):
            user(**wrong)


def test_an_administrator_cannot_lock_themselves_out() -> None:
    administrator = user(roles=["administrator"])
    whole: dict[str, Any] = {"name": "Li", "email": None, "locale": "en", "client": None}
    for roles, active in (([], True), (["administrator"], False)):
        with pytest.raises(OwnAdministrationKept):
            administrator.change(**whole, roles=roles, active=active, by="li")
    administrator.change(**whole, roles=[], active=False, by="another")
    assert not administrator.active


def test_no_system_bears_the_name_of_a_part_of_orderloom() -> None:
    for name in ("order", "gateway", "orderloom"):
        with pytest.raises(SystemNameReserved):
            ApiKey.issue(system=name, scopes=["orders:read"], by="user:admin", now=utc_now())


def test_attempts_are_forgotten_after_five_minutes() -> None:
    now = utc_now()
    attempts = SignInAttempts(name="li", count=10, first_at=now)
    with pytest.raises(TooManyFailures):
        attempts.another(now=now)
    attempts.another(now=now.replace(year=now.year + 1))
    assert attempts.count == 1


async def test_a_user_is_registered_changed_and_told_with_the_whole_state(gateway: Running) -> None:
    registered = await gateway.post("/users", ADMINISTRATOR, json=LI | {"password": "some password"})
    assert (registered.status_code, registered.headers["ETag"]) == (201, '"1"'), registered.text
    assert "password" not in registered.text
    changed = await gateway.put("/users/li.na", ADMINISTRATOR, json=CHANGED, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["roles"]) == (200, ["sales_manager", "sales"]), changed.text
    first, second = await gateway.told(topic="directory")
    assert (first["type"], second["type"]) == ("user.registered.v1", "user.changed.v1")
    assert changed.headers["Orderloom-Event"] == str(second["event_id"])
    assert second["data"] == {
        "user_id": "li.na",
        "name": "Li Na",
        "email": None,
        "locale": "en",
        "roles": ["sales_manager", "sales"],
        "client_id": None,
        "active": True,
    }


async def test_rule_35_a_stale_version_changes_nothing(gateway: Running) -> None:
    await gateway.post("/users", ADMINISTRATOR, json=LI)
    await gateway.put("/users/li.na", ADMINISTRATOR, json=CHANGED)
    stale = await gateway.put("/users/li.na", ADMINISTRATOR, json=CHANGED | {"name": "X"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await gateway.get("/users/li.na", ADMINISTRATOR)).json()["name"] == "Li Na"


async def test_ids_and_e_mail_addresses_belong_to_one_person(gateway: Running) -> None:
    await gateway.post("/users", ADMINISTRATOR, json=LI)
    assert (await gateway.post("/users", ADMINISTRATOR, json=LI)).json()["type"] == "user-id-used"
    other = await gateway.post("/users", ADMINISTRATOR, json=LI | {"user_id": "other", "email": "LI@example.com"})
    assert (other.status_code, other.json()["type"]) == (409, "email-used")


async def test_a_client_person_is_bound_to_a_company_that_is_known_here(gateway: Running) -> None:
    person = LI | {"roles": ["client"], "client_code": "C-0017"}
    early = await gateway.post("/users", ADMINISTRATOR, json=person)
    assert (early.status_code, early.json()["type"]) == (422, "client-not-registered")
    await gateway.hear(*DIRECTORY)
    bound = await gateway.post("/users", ADMINISTRATOR, json=person)
    assert (bound.status_code, bound.json()["client_id"]) == (201, str(CLIENT.client_id))


async def test_what_is_wrong_with_a_user_is_named(gateway: Running) -> None:
    wrong = LI | {"user_id": "Li Na", "roles": ["orders:write"], "locale": "fr", "email": "li"}
    answer = await gateway.post("/users", ADMINISTRATOR, json=wrong)
    assert answer.status_code == 422
    assert set(problems(answer)) == {"/user_id", "/roles/0", "/locale", "/email"}


async def test_what_no_database_could_look_for_is_refused(gateway_read_only: Running) -> None:
    for path in ("/users?search=%00", "/users/%00", "/work/orders?status=%00", "/?search=%00"):
        assert (await gateway_read_only.get(path, ADMINISTRATOR)).status_code == 422, path
    sign_in = {"user": "li\0", "password": "some password"}
    assert (await gateway_read_only.post("/auth/sign-in", json=sign_in)).status_code == 422
    assert (await gateway_read_only.post("/sign-in", data=sign_in)).status_code == 422


async def test_users_are_listed_page_by_page_and_found(gateway: Running) -> None:
    for number in range(3):
        await gateway.post("/users", ADMINISTRATOR, json=LI | {"user_id": f"person-{number}", "email": None})
    first = (await gateway.get("/users?limit=2", ADMINISTRATOR)).json()
    rest = (await gateway.get(f"/users?limit=2&cursor={first['next_cursor']}", ADMINISTRATOR)).json()
    assert [person["user_id"] for person in first["items"] + rest["items"]] == ["person-0", "person-1", "person-2"]
    found = (await gateway.get("/users?search=ON-1", ADMINISTRATOR)).json()
    assert [person["user_id"] for person in found["items"]] == ["person-1"]


FOR_ADMINISTRATORS = [
    ("POST", "/users"),
    ("GET", "/users"),
    ("GET", "/users/li.na"),
    ("PUT", "/users/li.na"),
    ("POST", "/users/li.na/password"),
    ("POST", "/api-keys"),
    ("GET", "/api-keys"),
    ("DELETE", f"/api-keys/{ORDER}"),
]


async def test_only_administrators_let_people_and_systems_in(gateway_read_only: Running) -> None:
    body = LI | {"password": "some password", "system": "erp", "scopes": ["orders:read"]}
    for method, path in FOR_ADMINISTRATORS:
        assert (await gateway_read_only.request(method, path, json=body)).status_code == 401
        for who in (SALES, CLIENT, Who("erp", ("orders:read",), kind="integration")):
            answer = await gateway_read_only.request(method, path, who, json=body)
            assert answer.status_code == 403, (method, path, who)


async def test_an_api_key_acts_as_its_system_until_it_is_withdrawn(gateway: Running) -> None:
    asked = {"system": "erp", "scopes": ["orders:write", "orders:read"]}
    issued = (await gateway.post("/api-keys", ADMINISTRATOR, json=asked)).json()
    key = {"X-Api-Key": issued["key"]}
    me = (await gateway.get("/auth/me", headers=key)).json()
    assert (me["kind"], me["user_id"], me["roles"]) == ("integration", "erp", ["orders:read", "orders:write"])
    (row,) = await gateway.rows("SELECT * FROM api_keys")
    assert issued["key"] not in str(row)
    (listed,) = (await gateway.get("/api-keys", ADMINISTRATOR)).json()["items"]
    assert listed["prefix"] == issued["key"][:12]
    assert "key" not in listed
    assert (await gateway.request("DELETE", f"/api-keys/{issued['key_id']}", ADMINISTRATOR)).status_code == 204
    assert (await gateway.get("/auth/me", headers=key)).status_code == 401
    assert (await gateway.request("DELETE", f"/api-keys/{issued['key_id']}", ADMINISTRATOR)).status_code == 404


async def test_a_key_is_never_kept_for_a_second_answer(gateway: Running) -> None:
    asked = {"system": "erp", "scopes": ["orders:read"]}
    again = await gateway.post("/api-keys", ADMINISTRATOR, json=asked, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json()["type"]) == (422, "shown-once")


async def test_rule_33_a_system_sees_the_orders_that_it_placed_and_no_other(gateway: Running) -> None:
    own = placed(1, external=External(source="erp", id="1"))
    await gateway.hear(own, placed(2, external=External(source="crm", id="1")), placed(3, external=None))
    await gateway.hear(*UNTIL_PLANNED)
    reader = Who("erp", ("orders:read",), kind="integration")
    page = (await gateway.get("/work/orders", reader)).json()
    assert [order["order_id"] for order in page["items"]] == [str(own.order_id)]
    assert (await gateway.get(f"/work/orders/{ORDER}", reader)).status_code == 404
    assert (await gateway.get(f"/work/orders/{ORDER}/timeline", reader)).status_code == 404
    writer = Who("erp", ("orders:write",), kind="integration")
    assert (await gateway.get("/work/orders", writer)).status_code == 403
