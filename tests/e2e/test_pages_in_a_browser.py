"""What people do, in a real browser: from signing in to the job done, in both languages, at a desk and on a phone."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from page_world import CLIENT, approved, delivered, owner_of_first_task, placed
from playwright.async_api import Browser, Locator, TimeoutError

from chromium import DESK, PHONE, Person, running_browser, someone
from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway
from whole_stack import WholeStack

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def base(whole_stack: WholeStack) -> str:
    return whole_stack.addresses["gateway"]


async def test_an_order_goes_from_the_form_to_the_money_by_everyones_own_page(
    browser: Browser, base: str, gateway: Gateway, cast: Cast
) -> None:
    seller = await someone(browser, base, cast.seller)
    title = f"Base plates {uuid4().hex[:6]}"
    await _place(seller, title)
    order_page = seller.page.url
    order_id = order_page.rsplit("/", 1)[1].partition("?")[0]
    await seller.is_live()

    manager = await someone(browser, base, cast.holder("sales_manager"), viewport=PHONE, language="zh-CN")
    await manager.go("/approvals")
    await _open(manager, order_id)
    await manager.page.locator(f"#order-{order_id}").get_by_role("button", name="批准").click()
    await manager.sees("已批准。")

    await seller.page.get_by_text("In Technical review").wait_for()
    assert seller.page.url.startswith(order_page.partition("?")[0])

    worker = await someone(browser, base, await owner_of_first_task(gateway, cast, order_id), viewport=PHONE)
    await worker.go("/tasks")
    mine = worker.page.locator(f'article[data-order="{order_id}"]').first
    await mine.get_by_role("button", name=re.compile("^(Start|Take it and start)$")).click()
    await worker.sees("Started.")
    mine = worker.page.locator(f'article[data-order="{order_id}"]').first
    await mine.get_by_text("Log time…").click()
    await mine.get_by_label("Hours").fill("1.5")
    await mine.get_by_role("button", name="Log the hours").click()
    await worker.sees("Hours logged.")
    mine = worker.page.locator(f'article[data-order="{order_id}"]').first
    await mine.get_by_role("button", name="Finish").click()
    await worker.sees("Finished.")

    accountant = await someone(browser, base, cast.holder("finance"))
    await accountant.go("/money")
    due = accountant.page.locator(f'#main ul.queue > li[data-order="{order_id}"]')
    await due.get_by_role("button", name="Issue the invoice").click()
    await accountant.sees("The invoice is issued.")
    invoice = accountant.page.locator(f'li[id^="invoice-"][data-order="{order_id}"]')
    await invoice.get_by_text("Record a payment…").click()
    await invoice.get_by_role("button", name="Record the payment").click()
    await accountant.sees("The payment is recorded.")
    await seller.go(f"/orders/{order_id}?tab=money")
    await seller.sees("Paid")
    complaints = [each for person in (seller, manager, worker, accountant) for each in person.complaints]
    assert [each for each in complaints if "422" not in each] == []  # of the form that was wrong


async def test_a_client_accepts_their_delivery_and_sees_it_at_once(
    browser: Browser, base: str, gateway: Gateway, cast: Cast
) -> None:
    _, user = await delivered(gateway, cast)
    client = await someone(browser, base, user, language="zh-CN", viewport=PHONE)
    await client.sees("等您处理")
    await client.click("去验收", role="link")
    await client.is_live()
    await client.page.get_by_label("我已检查交付内容，代表公司验收").check()
    await client.click("验收交付")
    await client.sees("您已验收这次交付")
    assert "等您处理：验收交付" not in await client.text()
    assert client.complaints == []


async def test_a_change_by_anyone_shows_without_reloading_also_after_the_connection_broke(
    browser: Browser, base: str, gateway: Gateway, cast: Cast
) -> None:
    order_id = await approved(gateway, cast)
    watching = await someone(browser, base, cast.reader)
    await watching.go(f"/orders/{order_id}")
    await watching.is_live()
    manager, path = cast.holder("sales_manager"), f"/api/order/orders/{order_id}"
    await watching.page.evaluate("window.isStillThere = true")
    await gateway.post(manager, f"{path}/hold", {"reason": "x"})
    await watching.page.locator("#status", has_text="On hold").wait_for()
    assert await watching.page.evaluate("window.isStillThere")
    await watching.context.set_offline(True)
    await gateway.post(manager, f"{path}/resumption", {"reason": "x"})
    await watching.page.locator('.live[data-live="reconnecting"]').wait_for()
    await watching.context.set_offline(False)
    await watching.is_live()
    await watching.page.locator("#status", has_text="Technical review").wait_for()


async def test_a_half_filled_form_and_an_opened_row_outlive_what_others_change(
    browser: Browser, base: str, gateway: Gateway, cast: Cast
) -> None:
    order_id = await approved(gateway, cast)
    manager = await someone(browser, base, cast.holder("sales_manager"))
    await manager.go(f"/orders/{order_id}")
    await manager.is_live()
    await manager.page.get_by_text("Hold…").click()
    reason = manager.page.locator("#reason-hold")
    await reason.fill("The drawing changes, and I am still wri")
    owner = await owner_of_first_task(gateway, cast, order_id)
    task = (await gateway.get(cast.reader, f"/api/project/orders/{order_id}/project"))["tasks"][0]
    await gateway.post(owner, f"/api/project/tasks/{task['id']}/start")
    await manager.page.get_by_text("Task started").or_(manager.page.locator(".thread-tiny")).first.wait_for()
    await asyncio.sleep(1.5)
    assert await reason.input_value() == "The drawing changes, and I am still wri"
    assert await reason.is_visible()


async def test_a_second_click_a_second_tab_and_the_back_button_do_nothing_twice(
    browser: Browser, base: str, gateway: Gateway, cast: Cast
) -> None:
    order_id = await placed(gateway, cast)
    manager = await someone(browser, base, cast.holder("sales_manager"))
    await manager.go("/approvals")
    other_tab = Person(await manager.context.new_page(), manager.context)
    await other_tab.go("/approvals")
    for person in (manager, other_tab):
        await _open(person, order_id)
    await manager.page.locator(f"#order-{order_id}").get_by_role("button", name="Approve").dblclick()
    await manager.sees("Approved.")
    await manager.page.go_back()
    stale = other_tab.page.locator(f"#order-{order_id}")
    with suppress(TimeoutError):  # the page is live: the row may go away at any moment
        await stale.get_by_role("button", name="Approve").click(force=True, timeout=2_000)
    thread = (await gateway.get(cast.reader, f"/api/order/orders/{order_id}/thread"))["items"]
    assert sum(entry["type"] == "approval.decided.v1" for entry in thread) == 1


async def test_pages_read_and_decide_without_script(browser: Browser, base: str, gateway: Gateway, cast: Cast) -> None:
    order_id = await placed(gateway, cast)
    manager = await someone(browser, base, cast.holder("sales_manager"), script=False)
    await manager.go("/approvals")
    row = await _open(manager, order_id)
    await row.get_by_role("button", name="Approve").click()
    await manager.sees("Approved.")


PAGES = ("/", "/approvals", "/orders", "/board", "/tasks", "/orders/new", "/me", "/help")


async def test_no_page_keeps_anybody_out(browser: Browser, base: str, gateway: Gateway, cast: Cast) -> None:
    """axe-core finds nothing, nothing moves once it is there or scrolls sideways, the browser complains of nothing.

    At a desk by day in English, on a phone by night in Chinese; ORDERLOOM_ALL_LOOKS=1 tries both of both.
    """
    order_id, user = await delivered(gateway, cast)
    password = gateway._passwords["admin"]
    people: list[tuple[Any, tuple[str, ...]]] = [
        (cast.holder("sales_manager"), (*PAGES, *(f"/orders/{order_id}?tab={tab}" for tab in TABS))),
        (cast.holder("finance_manager"), ("/money",)),
        (user, ("/", f"/orders/{order_id}")),
        ("admin", ("/office", "/office/users", "/office/users/new", "/office/clients", "/office/integration")),
    ]
    wrong = []
    looks = [(DESK, False), (PHONE, True)]
    looks += [(DESK, True), (PHONE, False)] if os.environ.get("ORDERLOOM_ALL_LOOKS") else []
    for viewport, dark in looks:
        for name, paths in people:
            more: dict[str, Any] = {"password": password} if name == "admin" else {}
            language = "zh-CN" if viewport is PHONE else "en"
            person = await someone(browser, base, name, viewport=viewport, dark=dark, language=language, **more)
            for path in paths:
                await person.go(path)
                wrong += [f"{path} {viewport['width']}: moves {each}" for each in await person.shifted()]
                wrong += [f"{path} {viewport['width']}: {each}" for each in await person.violations()]
                if await person.scrolls_sideways():
                    wrong.append(f"{path} {viewport['width']}: scrolls sideways")
            wrong += person.complaints
            await person.context.close()
    assert not wrong, "\n".join(sorted(set(wrong)))


TABS = ("plan", "money", "documents", "thread")


async def _open(person: Person, order_id: str) -> Locator:
    """The order's row in the inbox. The first is open already."""
    row = person.page.locator(f"#order-{order_id}")
    await row.wait_for()
    if await row.get_attribute("open") is None:
        await row.locator("> summary").click()
    return row


async def _place(seller: Person, title: str) -> None:
    """First with a mistake, which is named beside its field; what was written stays."""
    await seller.go("/orders/new?type=machining")
    page = seller.page
    await page.get_by_label("What it is").fill(title)
    await page.get_by_label("Client code").fill(CLIENT["code"])
    await page.get_by_label("Client name").fill(CLIENT["name"])
    await page.get_by_label("Drawing number").fill("GD-114")
    for name, value in (
        ("item", "Plate"),
        ("quantity", "0"),
        ("unit", "pcs"),
        ("unit_price", "12.5"),
        ("tax_rate", "13"),
    ):
        await page.locator(f'[name="lines.0.{name}"]').fill(value)
    await page.get_by_role("button", name="Place the order").last.click()
    await page.locator('[id="lines.0.quantity-wrong"]').wait_for()
    await page.locator('[id="fields.material-wrong"]').wait_for()
    assert await page.get_by_label("What it is").input_value() == title
    await page.locator('[name="lines.0.quantity"]').fill("40")
    await page.locator("#totals", has_text="¥565.00").wait_for()
    await page.get_by_label("Material").fill("6061-T6")
    await page.get_by_role("button", name="Place the order").last.click()
    await seller.sees("The order is placed.")
