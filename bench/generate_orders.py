"""Writes a file of random orders, seeded, with some wrong lines, and beside it which pointer each of those must name.

generate_orders.py 300 orders.jsonl expected.json --seed 1
"""

import argparse
import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contracts.currencies import MINOR_DIGITS

WRONG_SHARE = 0.08
Order = dict[str, Any]
TYPES: dict[str, tuple[Order, list[str]]] = {
    "machining": (
        {"material": "6061-T6", "drawing_no": "D-1"},
        ["review_passed", "production_finished", "inspection_passed", "accepted"],
    ),
    "it-outsourcing": (
        {"scope": "A portal", "contract_kind": "fixed_price"},
        ["scope_agreed", "design_approved", "tests_passed", "accepted"],
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int)
    parser.add_argument("orders", type=Path)
    parser.add_argument("expected", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    randomness = random.Random(arguments.seed)
    lines, expected = [], {}
    for number in range(1, arguments.count + 1):
        order = _order(randomness, f"G{arguments.seed}-{number:05}")
        if randomness.random() < WRONG_SHARE:
            spoil, pointer = randomness.choice(WAYS_TO_BE_WRONG)
            order = copy.deepcopy(order)
            spoil(order)
            expected[str(number)] = pointer
        lines.append(json.dumps(order, ensure_ascii=randomness.random() < 0.5))
    arguments.orders.write_text("\n".join(lines) + "\n")
    arguments.expected.write_text(json.dumps(expected, indent=1))


def _order(randomness: random.Random, external_id: str) -> Order:
    order_type = randomness.choice(list(TYPES))
    fields, milestones = TYPES[order_type]
    client = randomness.randint(1, 25)
    order: Order = {
        "external_id": external_id,
        "client": {"code": f"C-{client:04}", "name": f"客户 {client} Works", "tax_id": None},
        "order_type": order_type,
        "title": f"订单 {external_id}",
        "currency": randomness.choice(["CNY", "CNY", "EUR", "USD", "JPY", "KWD", "CLF", *MINOR_DIGITS]),
        "priority": randomness.randint(1, 5),
        "lines": [_line(randomness, number) for number in range(randomness.choice([1, 1, 2, 3, 8]))],
        "fields": fields,
    }
    if randomness.random() < 0.7:
        order["terms"] = _terms(randomness, milestones)
    return order


def _line(randomness: random.Random, number: int) -> Order:
    def decimal(highest: int, digits: int) -> str:
        places = randomness.randint(0, digits)
        value = str(randomness.randint(0, highest))
        return f"{value}.{randomness.randint(0, 10**places - 1):0{places}}" if places else value

    line = {
        "item": f"I-{number}",
        "quantity": str(randomness.randint(1, 500)) + randomness.choice(["", ".5", ".125", ".333333"]),
        "unit": "pcs",
        "unit_price": decimal(randomness.choice([0, 1, 100, 100_000]), 6),
        "tax_rate": randomness.choice(["0", "0.06", "0.09", "0.13", "0.19", "0.081"]),
    }
    if randomness.random() < 0.4:
        line["discount"] = randomness.choice(["0.05", "0.333333", "1", "0.999999", "0.1"])
    return line


def _terms(randomness: random.Random, milestones: list[str]) -> list[Order]:
    count = randomness.choice([1, 2, 3, 4, 7, 12])
    cuts = sorted(randomness.sample(range(1, 100_000_000), count - 1))
    shares = [end - start for start, end in zip([0, *cuts], [*cuts, 100_000_000], strict=True)]
    return [_term(randomness, number, share, milestones) for number, share in enumerate(shares)]


def _term(randomness: random.Random, number: int, share: int, milestones: list[str]) -> Order:
    term: Order = {"code": f"t{number}", "percent": f"{share // 1_000_000}.{share % 1_000_000:06}"}
    due = randomness.choice(["on_approval", "on_date", "on_milestone", "on_acceptance", "after_acceptance"])
    members: dict[str, Order] = {
        "on_date": {"date": randomness.choice(["2026-01-15", "2026-11-20", "2031-12-31"])},
        "on_milestone": {"milestone": randomness.choice(milestones)},
        "after_acceptance": {"days": randomness.choice([0, 0, 30, 3650])},
    }
    return term | {"due": due} | members.get(due, {})


def _set(*path: Any) -> Callable[[Any], Callable[[Order], None]]:
    def to(value: Any) -> Callable[[Order], None]:
        def spoil(order: Order) -> None:
            holder: Any = order
            for part in path[:-1]:
                holder = holder[part]
            holder[path[-1]] = value

        return spoil

    return to


WAYS_TO_BE_WRONG: list[tuple[Callable[[Order], None], str]] = [
    (_set("currency")("XXX"), "/currency"),
    (_set("priority")(6), "/priority"),
    (_set("lines", 0, "quantity")("0"), "/lines/0/quantity"),
    (_set("lines", 0, "unit_price")("1e3"), "/lines/0/unit_price"),
    (_set("lines", 0, "tax_rate")("1.01"), "/lines/0/tax_rate"),
    (_set("lines", 0, "colour")("red"), "/lines/0/colour"),
    (_set("title")("a\u0007b"), "/title"),
    (_set("lines")([]), "/lines"),
    (_set("requested_date")("2026-02-30"), "/requested_date"),
    (_set("draft")(True), "/draft"),
    (_set("client", "name")(""), "/client/name"),
    (_set("terms")([{"code": "a", "percent": "99.999999", "due": "on_approval"}]), "/terms"),
    (lambda order: order.pop("title"), "/title"),
]

if __name__ == "__main__":
    main()
