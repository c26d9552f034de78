"""People, an order type and orders that the tests of the order service share."""

from typing import Any

from stack import Running, Who

SALES = Who("wang", ("sales",))
MANAGER = Who("li", ("sales_manager",))
ADMINISTRATOR = Who("admin", ("administrator",))

ORDER: dict[str, Any] = {
    "external_id": "ERP-7001",
    "client": {"code": "C-0007", "name": "Example Works", "tax_id": None},
    "order_type": "machining",
    "title": "120 brackets",
    "currency": "CNY",
    "lines": [
        {
            "item": "BRKT-01",
            "quantity": "120",
            "unit": "pcs",
            "unit_price": "38.4990",
            "discount": "0.05",
            "tax_rate": "0.13",
        }
    ],
    "fields": {"material": "6061-T6", "drawing_no": "D-1001"},
}


async def ready(order_service: Running) -> None:
    """The defaults that placing an order needs."""
    import json
    from pathlib import Path

    import orderloom

    folder = Path(orderloom.__file__).parent / "defaults"
    for file in sorted((folder / "order_types").glob("*.json")):
        answer = await order_service.put(f"/order-types/{file.stem}", ADMINISTRATOR, json=json.loads(file.read_text()))
        assert answer.status_code == 200, answer.text
    for path in ("approval-ladder", "exchange-rates"):
        body = json.loads((folder / f"{path}.json").read_text())
        answer = await order_service.put(f"/{path}", ADMINISTRATOR, json=body)
        assert answer.status_code == 204, answer.text
