"""Two client companies on one platform: neither learns that the other exists."""

from uuid import uuid4

import pytest

from journeys import approved, eventually, life, placed
from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway, Refused

pytestmark = pytest.mark.xdist_group("e2e")


async def test_a_client_sees_its_own_orders_and_nothing_of_anyone_elses(gateway: Gateway, cast: Cast) -> None:
    companies = [{"code": f"T-{uuid4()}", "name": name} for name in ("First Company", "Second Company")]
    orders = [await placed(gateway, cast, client=company) for company in companies]
    for order in orders:
        await approved(gateway, cast, order["order_id"])
    people = [await cast.client_person(company, after=None) for company in companies]

    for person, own, other in zip(people, orders, reversed(orders), strict=True):

        async def sees_own(person: str = person, own: str = own["order_id"]) -> bool:
            page = await gateway.get(person, "/portal/orders")
            return [order["order_id"] for order in page["items"]] == [own]

        await eventually(sees_own)
        shown = await gateway.get(person, f"/portal/orders/{own['order_id']}")
        assert shown["order_no"] == own["order_no"]
        for path in (f"/portal/orders/{other['order_id']}", f"/portal/orders/{other['order_id']}/timeline"):
            with pytest.raises(Refused) as refused:
                await gateway.get(person, path)
            assert refused.value.status == 404
        for path in ("/work/orders", f"/work/orders/{own['order_id']}", "/api/order/orders", "/users"):
            with pytest.raises(Refused) as refused:
                await gateway.get(person, path)
            assert refused.value.status == 403, path
        with pytest.raises(Refused) as refused:
            await gateway.post(person, f"/api/order/orders/{other['order_id']}/acceptance")
        assert refused.value.status == 404

    await life(gateway, cast, orders[0]["order_id"]).play(lambda step: None)
    notices = await gateway.all_pages(people[1], "/api/notify/notices")
    assert all(notice["order_id"] == orders[1]["order_id"] for notice in notices)
