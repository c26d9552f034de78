"""The pages and the sign-in form: what they show to whom, in which language, and what they let nobody do."""

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from gateway_world import ADMINISTRATOR, CLIENT, DIRECTORY, ORDER, SALES, STRANGER, UNTIL_PLANNED, WORK
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from portal.forwarding import Services
from portal.pages.ways import on_this_host, page_of_form
from stack import Running

PASSWORD = "correct horse"


class Strict(HTMLParser):
    """Finds what the content security policy forbids, and tags that do not match."""

    VOID = ("meta", "link", "input", "br", "path", "circle", "line", "rect")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag not in self.VOID:
            self.open.append(tag)
        inline = tag == "script" and not (given.get("src") or "").startswith("/static/")
        if inline or tag == "style" or any(name == "style" or name.startswith("on") for name in given):
            self.wrong.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and self.open.pop() != tag:
            self.wrong.append(f"/{tag}")


def is_strict(html: str) -> bool:
    page = Strict()
    page.feed(html)
    return not page.wrong and not page.open


async def test_the_order_page_shows_where_the_order_stands_in_both_languages(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED, *WORK)
    chinese = await gateway.get(f"/orders/{ORDER}?tab=money&lang=zh-CN", SALES)
    english = await gateway.get(f"/orders/{ORDER}?lang=en", SALES)
    for text in ("ORD-000042", "技术评审", "距“", "INV-2026-00031", "¥11,332.11", "11 月"):
        assert text in chinese.text, text
    for text in ("Technical review", "Missing for “", "Drawing review", "3 Nov"):
        assert text in english.text, text
    assert re.search(r'data-state="\w+"[^>]* aria-current="step"><h3>Technical review', english.text)
    assert (chinese.headers["content-language"], english.headers["content-language"]) == ("zh-CN", "en")
    assert is_strict(chinese.text)
    assert is_strict(english.text)


async def test_the_language_is_that_of_the_choice_then_the_profile_then_the_browser(gateway: Running) -> None:
    await person(gateway, "li", ["sales"], locale="zh-CN")
    await gateway.post("/auth/sign-in", json={"user": "li", "password": PASSWORD})

    async def shown(**headers: str) -> str:
        return (await gateway.get("/orders", headers=headers)).headers["content-language"]

    assert await shown(**{"accept-language": "en-GB,en;q=0.8"}) == "zh-CN"
    assert (await gateway.get("/sign-in", headers={"accept-language": "en-GB,en;q=0.8"})).headers[
        "content-language"
    ] == "en"
    await gateway.get("/language?to=en")
    assert await shown() == "en"
    gateway.http.cookies.delete("orderloom_language")
    page = await gateway.get("/me")
    await gateway.post("/me/language", data=hidden(page.text) | {"locale": "en"})
    assert await shown() == "en"
    (told,) = await gateway.told("user.changed.v1")
    assert '"locale":"en"' in told["body"].replace(" ", "")


async def test_every_page_forbids_what_does_not_come_from_here(gateway_read_only: Running) -> None:
    for path in ("/sign-in", "/docs", "/static/components.css", "/auth/me", "/manifest.webmanifest"):
        headers = (await gateway_read_only.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin")
    for path in ("/sign-in", "/docs"):
        assert is_strict((await gateway_read_only.get(path)).text)


async def test_what_someone_wrote_into_an_order_is_shown_as_text(gateway: Running) -> None:
    placed = UNTIL_PLANNED[0].model_copy(update={"title": "<script>alert(1)</script>"})
    await gateway.hear(placed)
    for path in ("/orders", f"/orders/{ORDER}", "/approvals"):
        page = (await gateway.get(path, SALES)).text
        assert "<script>alert" not in page
        assert is_strict(page)
    assert "&lt;script&gt;" in (await gateway.get("/orders", SALES)).text


@pytest.mark.parametrize("tab", ["plan", "money", "documents", "thread", "nonsense"])
async def test_every_tab_of_an_order_stands_while_the_services_are_away(gateway: Running, tab: str) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED, *WORK)
    page = await gateway.get(f"/orders/{ORDER}?tab={tab}", SALES)
    assert page.status_code == 200
    assert is_strict(page.text)


async def test_a_client_finds_their_orders_and_nobody_elses_on_any_page(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED, *WORK)
    assert "ORD-000042" in (await gateway.get("/?search=铝合金", CLIENT)).text
    assert "ORD-000042" in (await gateway.get("/orders", SALES)).text
    for path in ("/", "/?search=ORD", "/?status=approved", f"/orders/{ORDER}", "/me", "/help"):
        strangers = await gateway.get(path, STRANGER)
        assert "ORD-000042" not in strangers.text, path
        assert "铝合金" not in strangers.text, path
        assert is_strict(strangers.text), path
    for path in ("/approvals", "/orders", "/board", "/tasks", "/money", "/office", "/office/users", "/orders/new"):
        assert (await gateway.get(path, CLIENT)).status_code == 404, path
    shown = (await gateway.get(f"/orders/{ORDER}", CLIENT)).text
    for inside in ("li.na", "process_engineer", "time.logged", "Task started", "任务已开始"):
        assert inside not in shown, inside


async def test_a_reader_signs_in_by_the_form_and_comes_to_where_they_wanted_to_go(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED)
    await person(gateway, "lin", ["client"], client_code="C-0017")
    led = await gateway.get(f"/orders/{ORDER}")
    assert (led.status_code, led.headers["location"]) == (303, f"/sign-in?next=%2Forders%2F{ORDER}")
    form = hidden((await gateway.get(led.headers["location"])).text)
    assert form["next"] == f"/orders/{ORDER}"
    wrong = await gateway.post("/sign-in", data=form | {"user": "lin", "password": "wrong"})
    assert (wrong.status_code, 'role="alert"' in wrong.text) == (401, True)
    done = await gateway.post("/sign-in", data=hidden(wrong.text) | {"user": "lin", "password": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, f"/orders/{ORDER}")
    page = await gateway.get(f"/orders/{ORDER}")
    assert "Technical review" in page.text
    out = await gateway.post("/sign-out", data=hidden((await gateway.get("/me")).text))
    assert (out.status_code, (await gateway.get("/")).status_code) == (303, 303)


async def test_another_sites_form_signs_nobody_in_or_out_and_decides_nothing(gateway: Running) -> None:
    await person(gateway, "li", ["sales_manager"])
    behind = Behind()
    gateway.api.state.services = behind.services
    forged = await gateway.post("/sign-in", data={"user": "li", "password": PASSWORD, "form": "guess"})
    assert forged.status_code == 403
    assert "orderloom_session" not in forged.headers.get("set-cookie", "")
    await gateway.post("/auth/sign-in", json={"user": "li", "password": PASSWORD})
    await gateway.post("/sign-out", data={"csrf": "guess"})
    assert (await gateway.get("/")).status_code == 200
    for csrf in ({}, {"csrf": "guess"}):
        refused = await gateway.post(f"/approvals/{ORDER}", data={"decision": "approve", "step": "1"} | csrf)
        assert (refused.status_code, refused.headers["location"]) == (303, "/sign-in?next=%2F&expired=1")
    assert behind.asked == []


async def test_a_decision_goes_to_the_service_once_under_the_key_of_its_form(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, UNTIL_PLANNED[0])
    await person(gateway, "li", ["sales_manager"])
    await gateway.post("/auth/sign-in", json={"user": "li", "password": PASSWORD})
    behind = Behind()
    gateway.api.state.services = behind.services
    page = await gateway.get("/approvals")
    form = hidden(page.text.split(f'action="/approvals/{ORDER}"')[1])
    for _ in range(2):  # a second click
        done = await gateway.post(f"/approvals/{ORDER}", data=form)
        assert (done.status_code, done.headers["location"]) == (303, "/approvals?said=approved")
    assert [(method, path) for method, path, _, _ in behind.asked] == [("POST", f"/orders/{ORDER}/approval")] * 2
    assert len({headers["idempotency-key"] for _, _, headers, _ in behind.asked}) == 1
    assert behind.asked[0][3] == {"comment": None, "step": int(form["step"])}
    assert "Approved." in (await gateway.get("/approvals?said=approved")).text


async def test_a_step_that_someone_else_took_is_refused_in_words_and_the_list_is_fresh(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, UNTIL_PLANNED[0])
    await person(gateway, "li", ["sales_manager"])
    await gateway.post("/auth/sign-in", json={"user": "li", "password": PASSWORD})
    behind = Behind(status=409, answer={"type": "step-already-decided", "title": "Step 1 is decided."})
    gateway.api.state.services = behind.services
    form = hidden((await gateway.get("/approvals")).text.split(f'action="/approvals/{ORDER}"')[1])
    refused = await gateway.post(f"/approvals/{ORDER}", data=form)
    assert refused.status_code == 409
    assert "Someone else has taken this step." in refused.text
    assert hidden(refused.text.split(f'action="/approvals/{ORDER}"')[1])["key"] != form["key"]


async def test_a_page_says_when_a_part_of_the_system_is_away(gateway: Running) -> None:
    await person(gateway, "zhao", ["finance_manager"])
    await gateway.post("/auth/sign-in", json={"user": "zhao", "password": PASSWORD})
    page = await gateway.get("/money")
    assert (page.status_code, page.headers["retry-after"]) == (503, "1")
    assert "A part of the system is away" in page.text
    desk = await gateway.get("/")
    assert desk.status_code == 200


async def test_an_address_where_nothing_is_answers_people_with_a_page_and_programs_with_a_problem(
    gateway_read_only: Running,
) -> None:
    page = await gateway_read_only.get("/nothing", headers={"accept": "text/html"})
    assert (page.status_code, "<h1>" in page.text) == (404, True)
    program = await gateway_read_only.get("/nothing")
    assert program.headers["content-type"] == "application/problem+json"


async def test_an_administrator_lets_somebody_in_by_a_form_and_is_told_what_is_wrong(gateway: Running) -> None:
    await person(gateway, "boss", ["administrator"])
    await gateway.post("/auth/sign-in", json={"user": "boss", "password": PASSWORD})
    form = hidden((await gateway.get("/office/users/new")).text)
    wrong = await gateway.post("/office/users/new", data=form | {"user_id": "Not Good", "name": "", "locale": "en"})
    assert wrong.status_code == 422
    for field in ("user_id", "name"):
        assert f'id="{field}-wrong"' in wrong.text
    assert 'value="Not Good"' in wrong.text
    right = form | {"user_id": "new", "name": "New Person", "locale": "en", "roles": ["sales", "machinist"]}
    done = await gateway.post("/office/users/new", data=right)
    assert done.headers["location"] == "/office/users?said=saved"
    listed = await gateway.get("/office/users?search=new")
    assert "New Person" in listed.text
    stale = hidden((await gateway.get("/office/users/new")).text)  # the page of a user called new
    changed = stale | {"name": "Newer", "locale": "en", "roles": ["sales"], "active": "yes", "version": "99"}
    assert (await gateway.post("/office/users/new", data=changed)).status_code in (409, 422)


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [
        ("/orders/1?lang=en", "/orders/1?lang=en"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example/", "/"),
        ("/a\r\nSet-Cookie: b", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_a_sign_in_leads_to_no_other_host(asked: str, led_to: str) -> None:
    assert on_this_host(asked) == led_to


async def test_every_icon_of_the_manifest_is_there_in_the_kind_and_size_that_it_says(
    gateway_read_only: Running,
) -> None:
    icons = (await gateway_read_only.get("/manifest.webmanifest")).json()["icons"]
    assert {icon["purpose"] for icon in icons} == {"any", "maskable"}
    for icon in icons:
        answer = await gateway_read_only.get(icon["src"])
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, icon["type"])
        if icon["type"] == "image/png":
            width, height = (int.from_bytes(answer.content[at : at + 4]) for at in (16, 20))
            assert icon["sizes"] == f"{width}x{height}"


@pytest.mark.parametrize(
    ("referer", "page"),
    [
        ("https://here.example/orders/1?tab=money&said=approved&after=2", "/orders/1?tab=money"),
        ("https://here.example/approvals?said=approved", "/approvals"),
        ("https://elsewhere.example/orders/1", "/"),
        ("https://here.example.elsewhere.example/orders/1", "/"),
        ("https://here.example//elsewhere.example/", "/"),
        ("https://[here.example/", "/"),
        ("/orders/1", "/"),
        ("", "/"),
    ],
)
def test_who_has_to_sign_in_again_comes_back_to_the_page_of_their_form(referer: str, page: str) -> None:
    assert page_of_form(referer, "here.example") == page


class Behind:
    """Services that answer one thing, and remember what they were asked for."""

    def __init__(self, *, status: int = 200, answer: Any = None) -> None:
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self._status, self._answer = status, answer or {}
        routes = [Route("/{path:path}", self._take, methods=["GET", "POST"])]
        transport = httpx.ASGITransport(Starlette(routes=routes))
        names = ("order", "project", "finance", "notify")
        self.services = Services({name: f"http://{name}" for name in names}, transport=transport)

    async def _take(self, request: Request) -> JSONResponse:
        body = await request.json() if await request.body() else None
        self.asked.append((request.method, request.url.path, dict(request.headers), body))
        return JSONResponse(self._answer, self._status)


async def person(gateway: Running, user_id: str, roles: list[str], *, locale: str = "en", **more: str) -> None:
    body = {"user_id": user_id, "name": user_id.title(), "locale": locale, "roles": roles, "password": PASSWORD}
    registered = await gateway.post("/users", ADMINISTRATOR, json=body | more)
    assert registered.status_code == 201, registered.text


def hidden(html: str) -> dict[str, str]:
    """The hidden fields of the first form that has some."""
    forms = (re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form) for form in html.split("</form>"))
    return dict(next(filter(None, forms), []))
