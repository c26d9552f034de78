"""What project managers and administrators do; what is done without a mouse, on paper, and after a session is over."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from page_world import approved, delivered, placed, work_done
from playwright.async_api import Browser, ViewportSize

from chromium import PHONE, Person, running_browser, someone
from orderloom.defaults import DEMO_PASSWORD
from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway
from whole_stack import WholeStack

pytestmark = pytest.mark.xdist_group("e2e")

NARROW: ViewportSize = {"width": 320, "height": 640}
WORD = "Sonderanfertigungsgetriebegehäuseoberteilbearbeitung" * 3
TABS_MAX = 200
HAS_VISIBLE_FOCUS = """() => {
  const here = document.activeElement, style = getComputedStyle(here);
  const box = here.getBoundingClientRect();
  return here === document.body || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
    && box.width > 0 && box.bottom > 0 && box.top < innerHeight);
}"""
DRAFT = "sessionStorage.getItem('orderloom.draft')"
IS_SHOWN = "element => getComputedStyle(element).display !== 'none' && element.getClientRects().length > 0"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def base(whole_stack: WholeStack) -> str:
    return whole_stack.addresses["gateway"]


async def test_a_project_manager_hands_a_task_over_and_submits_the_delivery(
    browser: Browser, base: str, gateway: Gateway, cast: Cast
) -> None:
    order_id = await approved(gateway, cast)
    project = await gateway.get(cast.reader, f"/api/project/orders/{order_id}/project")
    manager = await someone(browser, base, project["manager"]["id"])
    await manager.go(f"/orders/{order_id}")
    await manager.is_live()
    row = manager.page.locator("table tr", has=manager.page.get_by_text("Give to…")).first
    await row.get_by_text("Give to…").click()
    new_owner = await row.get_by_label("New owner").locator("option").first.text_content()
    await row.get_by_label("Reason").fill("On leave until Monday")
    await row.get_by_role("button", name="Give the task over").click()
    await manager.sees("The task is handed over.")
    named = manager.page.locator(f'table tr:has-text("{new_owner}")')
    await named.first.wait_for()

    await work_done(gateway, cast, order_id)
    await manager.go(f"/orders/{order_id}?tab=documents")
    await manager.click("Submit the delivery")
    await manager.sees("The delivery is not complete yet.")
    await manager.sees("Hand in a version first")
    await manager.go(f"/orders/{order_id}?tab=documents")
    forms = manager.page.locator('form[action^="/deliverables/"]')
    for number in range(await forms.count()):
        await forms.nth(number).get_by_role("textbox").fill(f"DOC-{number}")
        await forms.nth(number).get_by_role("button").click()
        await manager.sees("The new version is recorded.")
    await manager.click("Submit the delivery")
    await manager.sees("The delivery is submitted. The client is asked to accept it.")
    assert [each for each in manager.complaints if "409" not in each] == []  # of the delivery that was not complete


async def test_an_administrator_lets_somebody_in_in_chinese_and_sees_what_did_not_go_through(
    browser: Browser, base: str, gateway: Gateway
) -> None:
    password, name = gateway._passwords["admin"], f"p{uuid4().hex[:8]}"
    admin = await someone(browser, base, "admin", password=password, language="zh-CN", viewport=PHONE)
    await admin.go("/office")
    await admin.click("用户", role="link")
    await admin.click("新用户", role="link")
    await admin.page.locator("#user_id").fill(name)
    await admin.page.locator("#name").fill("王工")
    await admin.page.locator("#password").fill("short")
    await admin.page.locator('input[name="roles"][value="sales"]').check()
    await admin.click("保存")
    await admin.sees("请至少填写 8 个字符")
    await admin.page.locator("#password").fill(DEMO_PASSWORD)
    await admin.click("保存")
    await admin.sees("已保存。")
    await admin.go(f"/office/users/{name}")
    await admin.page.get_by_label("可以登录").uncheck()
    await admin.click("保存")
    await admin.sees("已保存。")
    assert (await admin.page.request.get(f"/users/{name}")).ok
    assert (await (await admin.page.request.get(f"/users/{name}")).json())["active"] is False
    await admin.go("/office/integration")
    await admin.sees("被拒收的外部系统订单")
    assert "暂时无法显示" not in await admin.text()
    assert [each for each in admin.complaints if "422" not in each] == []


async def test_an_order_is_approved_without_a_mouse_and_one_always_sees_where_one_is(
    browser: Browser, base: str, gateway: Gateway, cast: Cast
) -> None:
    order_id = await placed(gateway, cast)
    manager = await someone(browser, base, cast.holder("sales_manager"))
    await manager.go("/")
    await _tab_to(manager, 'a[href="/approvals"]')
    await manager.page.keyboard.press("Enter")
    await manager.page.wait_for_url("**/approvals")
    await _tab_to(manager, f"#order-{order_id} > summary")
    row = manager.page.locator(f"#order-{order_id}")
    if await row.get_attribute("open") is None:
        await manager.page.keyboard.press("Enter")
    await _tab_to(manager, f'#order-{order_id} button[data-key="a"]')
    await manager.page.keyboard.press("Enter")
    await manager.sees("Approved.")
    assert (await gateway.get(cast.reader, f"/work/orders/{order_id}"))["status"] == "approved"


async def test_paper_shows_the_order_and_no_navigation(
    browser: Browser, base: str, gateway: Gateway, cast: Cast
) -> None:
    order_id = await approved(gateway, cast)
    manager = await someone(browser, base, cast.holder("sales_manager"), dark=True)
    await manager.go(f"/orders/{order_id}?tab=money")
    chrome = manager.page.locator(".masthead nav a, .masthead form, .foot, .commands summary, .composer, button")
    assert any([await each.evaluate(IS_SHOWN) for each in await chrome.all()])
    await manager.page.emulate_media(media="print")
    assert not [await each.inner_text() for each in await chrome.all() if await each.evaluate(IS_SHOWN)]
    assert await manager.page.locator("h1").evaluate(IS_SHOWN)
    assert await manager.page.locator(".thread").first.evaluate(IS_SHOWN)
    ground = await manager.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    assert (await manager.page.pdf(format="A4")).startswith(b"%PDF-")


async def test_no_page_scrolls_sideways_on_the_narrowest_phone(
    browser: Browser, base: str, gateway: Gateway, cast: Cast
) -> None:
    order_id, client = await delivered(gateway, cast)
    order = f"/orders/{order_id}"
    tabs = tuple(f"{order}?tab={tab}" for tab in ("plan", "money", "documents", "thread"))
    people: tuple[tuple[str, tuple[str, ...]], ...] = (
        (cast.reader, ("/", "/approvals", "/orders", "/board", "/tasks", "/me", "/help", *tabs)),
        (cast.seller, ("/orders/new",)),
        (cast.holder("finance_manager"), ("/money",)),
        (client, ("/", order)),
        ("admin", ("/office", "/office/users", "/office/users/new", "/office/clients", "/office/integration")),
    )
    wrong = []
    for user, paths in people:
        more: dict[str, Any] = {"password": gateway._passwords["admin"]} if user == "admin" else {}
        person = await someone(browser, base, user, viewport=NARROW, **more)
        for path in paths:
            await person.go(path)
            if await person.scrolls_sideways():
                wrong.append(path)
        await person.context.close()
    assert wrong == []


async def test_a_word_longer_than_a_line_breaks_and_widens_no_page(
    browser: Browser, base: str, gateway: Gateway, cast: Cast
) -> None:
    line = {
        "item": "X" * 180,
        "description": "永" * 200,
        "quantity": "1",
        "unit": "millimetre",
        "unit_price": "9999.99",
    }
    order_id = await placed(
        gateway,
        cast,
        title=WORD,
        external_id=f"{uuid4()}-{'9' * 60}",
        client={"code": f"C-{uuid4()}", "name": WORD[:100]},
        lines=[line],
        fields={"material": "M" * 100, "drawing_no": "D" * 60},
    )
    order = await gateway.get(cast.reader, f"/api/order/orders/{order_id}")
    client = await cast.client_person(order["client"], after=None)
    tabs = tuple(f"/orders/{order_id}?tab={tab}" for tab in ("plan", "money", "documents", "thread"))
    wrong = []
    for width in (320, 820, 1440):
        for user, paths in (
            (cast.holder("sales_manager"), ("/", "/approvals", "/orders", "/board", "/me", *tabs)),
            (client, ("/", f"/orders/{order_id}")),
        ):
            person = await someone(browser, base, user, viewport={"width": width, "height": 640})
            for path in paths:
                await person.go(path)
                if await person.scrolls_sideways():
                    wrong.append((width, path))
            await person.context.close()
    assert wrong == []


async def test_what_was_typed_is_there_again_when_the_session_ran_out_and_a_password_never_is(
    browser: Browser, base: str, gateway: Gateway, cast: Cast
) -> None:
    order_id, user = await approved(gateway, cast), cast.holder("sales_manager")
    manager = await someone(browser, base, user)
    await manager.go(f"/orders/{order_id}?tab=money")
    await manager.page.get_by_text("Hold…").click()
    await manager.page.locator("#reason-hold").fill("The client <changes> the drawing,\nwait for it.")
    await _session_ends(manager)
    await manager.click("Put it on hold")
    await _sign_in_again(manager, user)
    assert manager.page.url.endswith(f"/orders/{order_id}?tab=money")
    await manager.sees("What you typed is in the form again.")
    reason = manager.page.locator("#reason-hold")
    assert await reason.input_value() == "The client <changes> the drawing,\nwait for it."
    assert await reason.is_visible()
    assert (await gateway.get(cast.reader, f"/work/orders/{order_id}"))["status"] == "approved"
    await manager.click("Put it on hold")
    await manager.sees("The order is on hold.")
    assert await manager.page.evaluate(DRAFT) is None

    await manager.go("/me")
    await manager.page.locator("#present_password").fill(DEMO_PASSWORD)
    await manager.page.locator("#new_password").fill("never to be kept")
    await _session_ends(manager)
    await manager.click("Change the password")
    await manager.page.wait_for_url("**/sign-in**")
    assert "kept" not in await manager.page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
    await _sign_in_again(manager, user)
    assert await manager.page.locator("#new_password").input_value() == ""


async def test_lines_of_an_order_beyond_the_first_are_there_again_when_the_session_ran_out(
    browser: Browser, base: str, cast: Cast
) -> None:
    seller = await someone(browser, base, cast.seller)
    await seller.go("/orders/new")
    await seller.click("More lines")
    await seller.page.locator("[id='lines.5.item']").fill("The sixth")
    await seller.page.locator("[id='lines.5.quantity']").fill("6")
    await _session_ends(seller)
    await seller.page.get_by_role("button", name="Place the order").last.click()
    await _sign_in_again(seller, cast.seller)
    await seller.sees("What you typed is in the form again.")
    assert await seller.page.locator(".line").count() == 6
    assert await seller.page.locator("[id='lines.5.item']").input_value() == "The sixth"
    assert await seller.page.locator("[id='lines.4.item']").input_value() == ""
    assert await seller.page.locator(".line legend").all_inner_texts() == [f"Line {number}" for number in range(1, 7)]


async def test_what_one_person_typed_is_not_shown_to_another_at_the_same_browser(
    browser: Browser, base: str, gateway: Gateway, cast: Cast
) -> None:
    order_id, user = await approved(gateway, cast), cast.holder("sales_manager")
    manager = await someone(browser, base, user)
    await manager.go(f"/orders/{order_id}")
    await manager.page.get_by_text("Hold…").click()
    await manager.page.locator("#reason-hold").fill("For nobody else")
    await _session_ends(manager)
    await manager.click("Put it on hold")
    await _sign_in_again(manager, cast.reader)
    await manager.is_live()
    assert await manager.page.locator("#reason-hold").input_value() == ""
    assert await manager.page.evaluate(DRAFT) is None


async def _tab_to(person: Person, selector: str) -> None:
    """By the tabulator alone; at each stop one sees where one is."""
    for _ in range(TABS_MAX):
        await person.page.keyboard.press("Tab")
        stop = await person.page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        assert await person.page.evaluate(HAS_VISIBLE_FOCUS), stop
        if await person.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"No tabulator comes to {selector}.")


async def _session_ends(person: Person) -> None:
    await person.context.clear_cookies(name="orderloom_session")


async def _sign_in_again(person: Person, user: str) -> None:
    await person.page.fill("#user", user)
    await person.page.fill("#password", DEMO_PASSWORD)
    await person.page.locator("form[action='/sign-in'] button").click()
    await person.page.locator("header.masthead").wait_for()
