"""The page of money, with the real services behind it: sums are of all, lists go on by link."""

import re
from importlib import import_module

import pytest

from contracts import roles
from five_services import FiveServices
from stack import Running, Who

ACCOUNTANT = Who("chen.jing", (roles.FINANCE,))


async def billed(five: FiveServices, count: int) -> list[str]:
    """The numbers of the invoices of as many orders, the oldest first."""
    order_ids = await five.place(count)
    await five.approve(order_ids)
    await five.deliver()
    answers = [await five.by_name["finance"].post(f"/orders/{each}/invoices", ACCOUNTANT) for each in order_ids]
    return [str(answer.json()["number"]) for answer in answers]


def shown(page: str) -> list[str]:
    return re.findall(r">(INV-[0-9]+-[0-9]+)</a>", page.partition('id="open"')[2].partition('id="received"')[0])


async def test_all_that_is_owed_is_added_up_and_the_oldest_invoices_come_first(
    five: FiveServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("portal.api.rooms.money"), "SHOWN", 2)
    five.stand_behind_gateway()
    numbers = await billed(five, 5)
    gateway = five.by_name["gateway"]
    total = await owed(five.by_name["finance"])
    first = (await gateway.get("/money?lang=en", ACCOUNTANT)).text
    assert f"¥{total} open" in first.partition("</h1>")[0] and "Nothing of it is overdue." in first
    assert re.search(r'id="open">Open invoices</h2> <span class="count">5</span>', first)
    pages, page = [shown(first)], first
    while link := re.search(r'href="(/money\?open=[^#"]+)#open"', page):
        page = (await gateway.get(link[1].replace("&amp;", "&"), ACCOUNTANT)).text
        pages.append(shown(page))
        assert f"¥{total}" in page and 'href="/money#open"' in page
    assert pages == [numbers[:2], numbers[2:4], numbers[4:]]


async def owed(finance: Running) -> str:
    (found,) = (await finance.get("/receivables", ACCOUNTANT)).json()
    return f"{float(found['open']['total']):,.2f}"
