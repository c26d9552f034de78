"""The example orders, from placing to their last payment, as `make demo` plays them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from whole_stack import WholeStack

EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture(scope="module")
def report(whole_stack: WholeStack, tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("report") / "report.json"
    arguments = ("demo", "--orders", str(EXAMPLES / "orders.jsonl"), "--json", str(out))
    played = whole_stack.command(*arguments, timeout=300)
    assert played.returncode == 0, played.stdout[-4000:] + played.stderr[-4000:]
    return json.loads(out.read_text())


def test_every_right_order_reaches_its_end_and_every_wrong_line_is_told_what_is_wrong(report: Any) -> None:
    expected: dict[str, Any] = json.loads((EXAMPLES / "orders.rejected.json").read_text())
    rejected = {str(line["line"]): {error["field"] for error in line["errors"]} for line in report["rejected"]}
    assert rejected == {number: {p} if isinstance(p, str) else set(p) for number, p in expected.items()}
    assert len(report["orders"]) == 18
    assert {order["status"] for order in report["orders"]} == {"closed", "delivered"}


def test_rule_02_instalments_add_up_to_the_order_and_invoices_and_receipts_to_what_is_paid(report: Any) -> None:
    for order in report["orders"]:
        instalments = order["instalments"]
        for whole, part in (("net", "net"), ("tax", "tax"), ("total", "amount")):
            assert sum(Decimal(each[part]) for each in instalments) == Decimal(order[whole]), order["external_id"]
        paid = sum(Decimal(each["amount"]) for each in instalments if each["status"] == "paid")
        assert sum(Decimal(each["total"]) for each in order["invoices"]) == paid
        assert sum(Decimal(each["amount"]) for each in order["receipts"]) == paid


def test_rule_20_invoice_numbers_have_no_gap(report: Any) -> None:
    serials = sorted(
        int(invoice["number"].split("-")[-1]) for order in report["orders"] for invoice in order["invoices"]
    )
    assert serials == list(range(serials[0], serials[0] + len(serials)))


def test_every_event_stands_behind_its_cause(report: Any) -> None:
    for order in report["orders"]:
        seen: set[str] = set()
        known = {entry["event_id"] for entry in order["thread"]}
        for entry in order["thread"]:
            assert entry["causation_id"] not in known or entry["causation_id"] in seen
            seen.add(entry["event_id"])
        assert order["thread_verified"]


def test_the_same_file_again_gives_the_same_orders(whole_stack: WholeStack, report: Any, tmp_path: Path) -> None:
    out = tmp_path / "again.json"
    played = whole_stack.command("demo", "--orders", str(EXAMPLES / "orders.jsonl"), "--json", str(out), timeout=300)
    assert played.returncode == 0, played.stdout[-4000:]
    again = json.loads(out.read_text())
    numbers = [[order["order_no"] for order in each["orders"]] for each in (report, again)]
    assert numbers[0] == numbers[1]
    assert again["rejected"] == report["rejected"]
    assert whole_stack.status["parked"] == 0
