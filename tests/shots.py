"""Every page as its people see it, for looking at one by one: `make shots` on a running stack (`make demo`).

At 390, 820 and 1440 pixels, light and dark, in the language of the person; into a folder, one picture a page.
"""

import argparse
import asyncio
import re
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from chromium import running_browser, someone
from orderloom.demo.cast import Cast
from whole_stack import WholeStack

WIDTHS = (390, 820, 1440)
HEIGHT = 900
QUALITY = 80


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".orderloom"), help="of the stack")
    parser.add_argument("--out", type=Path, default=Path(".orderloom/shots"))
    parser.add_argument("--width", type=int, action="append", help=f"instead of {WIDTHS}")
    parser.add_argument("--only", default="", help="pages whose name has this in it")
    asyncio.run(_take(parser.parse_args()))


async def _take(arguments: argparse.Namespace) -> None:
    stack = WholeStack(arguments.data.absolute())
    base = stack.addresses["gateway"]
    arguments.out.mkdir(parents=True, exist_ok=True)
    async with stack.gateway() as gateway, running_browser() as browser:
        cast = Cast(gateway)
        orders = await gateway.all_pages(cast.reader, "/work/orders")
        clients = await gateway.all_pages("admin", "/users", search="client.")
        delivered = next((each for each in orders if each["sign_off_possible"]), orders[0])
        order = max((each for each in orders if each["client_id"] == delivered["client_id"]), key=_how_far)
        client = next(each for each in clients if each["client_id"] == order["client_id"])
        password = (stack.data / "keys" / "admin-password").read_text().strip()
        for name, user, language, paths in _visits(cast, client["user_id"], order["order_id"], delivered["order_id"]):
            wanted = [path for path in paths if arguments.only in f"{name}{path}"]
            for width in arguments.width or WIDTHS:
                for dark in (False, True):
                    more: dict[str, Any] = {"password": password} if user == "admin" else {}
                    await _shoot(browser, base, arguments.out, (name, user, language), wanted, width, dark, more)


def _how_far(order: dict[str, Any]) -> int:
    """Of an order that is under way, the tasks that are done."""
    is_under_way = order["status"] == "approved" and not order["sign_off_possible"]
    return int(order["tasks_finished"]) if is_under_way else -1


def _visits(cast: Cast, client: str, order_id: str, delivered_id: str) -> list[tuple[str, str, str, tuple[str, ...]]]:
    order = f"/orders/{order_id}"
    delivered = f"/orders/{delivered_id}?delivered"
    tabs = tuple(f"{order}?tab={tab}" for tab in ("plan", "money", "documents", "thread"))
    return [
        ("client", client, "zh-CN", ("/", order, delivered)),
        ("sales", cast.seller, "en", ("/orders/new",)),
        (
            "manager",
            cast.holder("sales_manager"),
            "en",
            ("/", "/approvals", "/orders", "/board", *tabs, "/me", "/help"),
        ),
        ("worker", cast.holder("machinist"), "zh-CN", ("/tasks",)),
        ("finance", cast.holder("finance_manager"), "zh-CN", ("/money",)),
        (
            "admin",
            "admin",
            "en",
            ("/office", "/office/users", "/office/users/new", "/office/clients", "/office/integration"),
        ),
    ]


async def _shoot(
    browser: Browser,
    base: str,
    out: Path,
    who: tuple[str, str, str],
    paths: list[str],
    width: int,
    dark: bool,
    more: dict[str, Any],
) -> None:
    if not paths:
        return
    name, user, language = who
    viewport: Any = {"width": width, "height": HEIGHT}
    person = await someone(browser, base, user, language=language, viewport=viewport, dark=dark, **more)
    for path in paths:
        await person.go(path)
        await person.is_live()
        short = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "order", path)
        page = re.sub(r"\W+", "-", f"{name}{short}").strip("-")
        file = out / f"{page}-{width}{'-dark' if dark else ''}.jpg"
        await person.page.screenshot(path=file, full_page=True, type="jpeg", quality=QUALITY)
        print(file, *person.complaints)
    await person.context.close()


if __name__ == "__main__":
    main()
