"""The plain HTML pages and the sign-in form."""

import re
from html.parser import HTMLParser

import pytest
from gateway_world import ADMINISTRATOR, CLIENT, DIRECTORY, ORDER, SALES, STRANGER, UNTIL_PLANNED, WORK

from portal.pages import on_this_host
from stack import Running

PASSWORD = "correct horse"


class Strict(HTMLParser):
    """Finds what the content security policy forbids, and tags that do not match."""

    VOID = ("meta", "link", "input", "br", "path", "circle")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in ("script", "style") or any(name == "style" or name.startswith("on") for name, _ in attributes):
            self.wrong.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and self.open.pop() != tag:
            self.wrong.append(f"/{tag}")


def is_strict(html: str) -> bool:
    page = Strict()
    page.feed(html)
    return not page.wrong and not page.open


async def test_the_order_page_shows_where_the_order_stands_in_both_languages(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED, *WORK)
    chinese = await gateway.get(f"/orders/{ORDER}", SALES)
    english = await gateway.get(f"/orders/{ORDER}?lang=en", SALES)
    for text in (
        "ORD-000042",
        "技术评审",
        "缺：",
        "里程碑",
        "INV-2026-00031",
        "¥11,332.11",
        "11 月 3 日",
        "任务已完成",
    ):
        assert text in chinese.text, text
    for text in ("Technical review", "Missing: ", "Milestones", "3 Nov", "Task finished", "Drawing review"):
        assert text in english.text, text
    assert re.search(r'data-state="now" aria-current="step">\s*<h3>Technical review', english.text)
    assert (chinese.headers["content-language"], english.headers["content-language"]) == ("zh-CN", "en")
    assert is_strict(chinese.text)
    assert is_strict(english.text)


async def test_every_page_forbids_what_does_not_come_from_here(gateway_read_only: Running) -> None:
    for path in ("/sign-in", "/docs", "/static/portal.css", "/auth/me"):
        headers = (await gateway_read_only.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin")
    for path in ("/sign-in", "/docs"):
        assert is_strict((await gateway_read_only.get(path)).text)


async def test_what_someone_wrote_into_an_order_is_shown_as_text(gateway: Running) -> None:
    placed = UNTIL_PLANNED[0].model_copy(update={"title": "<script>alert(1)</script>"})
    await gateway.hear(placed)
    for path in ("/", f"/orders/{ORDER}"):
        page = (await gateway.get(path, SALES)).text
        assert "&lt;script&gt;" in page
        assert "<script" not in page


async def test_the_list_shows_the_orders_that_the_reader_may_see(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED)
    assert "ORD-000042" in (await gateway.get("/", SALES)).text
    assert "ORD-000042" in (await gateway.get("/?search=铝合金", CLIENT)).text
    strangers = (await gateway.get("/", STRANGER)).text
    assert "ORD-000042" not in strangers
    assert is_strict(strangers)


async def test_a_reader_signs_in_by_the_form_and_comes_to_where_they_wanted_to_go(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED)
    person = {"user_id": "lin", "name": "Lin", "locale": "en", "roles": ["client"], "client_code": "C-0017"}
    await gateway.post("/users", ADMINISTRATOR, json=person | {"password": PASSWORD})
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
    out = await gateway.post("/sign-out", data=hidden(page.text))
    assert (out.status_code, (await gateway.get("/")).status_code) == (303, 303)


async def test_another_sites_form_signs_nobody_in_or_out(gateway: Running) -> None:
    await gateway.post(
        "/users",
        ADMINISTRATOR,
        json={"user_id": "li", "name": "Li", "locale": "en", "roles": ["sales"], "password": PASSWORD},
    )
    forged = await gateway.post("/sign-in", data={"user": "li", "password": PASSWORD, "form": "guess"})
    assert forged.status_code == 403
    assert "orderloom_session" not in forged.headers.get("set-cookie", "")
    await gateway.post("/auth/sign-in", json={"user": "li", "password": PASSWORD})
    await gateway.post("/sign-out", data={"csrf": "guess"})
    assert (await gateway.get("/")).status_code == 200


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


def hidden(html: str) -> dict[str, str]:
    """The hidden fields of the page's form."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html))
