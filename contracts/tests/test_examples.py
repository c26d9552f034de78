"""One example of every message, and together the story of one order: 120 brackets, from the ERP to the last payment."""

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.catalogue import EVENTS, MESSAGES, REQUESTS
from contracts.generate import EXAMPLES, ROOT, SCHEMAS
from contracts.money import Money

STORY = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / EXAMPLES).glob("*.json")}
PLACED, APPROVED = STORY["order.placed.v1"], STORY["order.approved.v1"]
PLANNED = STORY["instalments.planned.v1"]
INVOICE, RECEIPT = STORY["invoice.issued.v1"], STORY["receipt.recorded.v1"]
PROJECT = STORY["project.created.v1"]


def test_every_message_has_one_example() -> None:
    assert STORY.keys() == MESSAGES.keys()


@pytest.mark.parametrize("name", MESSAGES)
def test_an_example_follows_its_frozen_schema(name: str) -> None:
    schema = json.loads((ROOT / SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(STORY[name])


@pytest.mark.parametrize("name", EVENTS)
def test_an_example_is_what_its_class_reads_and_writes(name: str) -> None:
    event = EVENTS[name].model_validate_json(json.dumps(STORY[name]))
    assert json.loads(event.model_dump_json()) == STORY[name]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_read_without_losing_anything(name: str) -> None:
    request = REQUESTS[name].model_validate(STORY[name])
    assert json.loads(request.model_dump_json(exclude_unset=True)) == STORY[name]


@pytest.mark.parametrize("name", EVENTS)
def test_fields_that_a_newer_teller_added_are_ignored(name: str) -> None:
    event = EVENTS[name]
    assert event.model_validate({**STORY[name], "added": 1}) == event.model_validate(STORY[name])


def test_there_is_one_order_in_the_story() -> None:
    assert {body["order_id"] for body in STORY.values() if "order_id" in body} == {PLACED["order_id"]}
    assert {body["order_no"] for body in STORY.values() if "order_no" in body} == {"ORD-000042"}


def test_the_order_is_what_the_erp_asked_for() -> None:
    asked = STORY["erp.order.requested.v1"]
    assert PLACED["external"]["id"] == asked["external_id"] == STORY["erp.order.accepted.v1"]["external_id"]
    given = [{name: value for name, value in line.items() if name not in ("net", "tax")} for line in PLACED["lines"]]
    assert given == asked["lines"]
    assert [{name: value for name, value in term.items() if value is not None} for term in PLACED["terms"]] == asked[
        "terms"
    ]
    for member in ("title", "fields", "priority", "currency", "requested_date", "order_type"):
        assert PLACED[member] == asked[member]


def test_the_approved_order_is_the_placed_one() -> None:
    assert {name: APPROVED[name] for name in PLACED} == PLACED


def test_rule_01_lines_and_totals_of_the_story_add_up() -> None:
    for line in PLACED["lines"]:
        price = _decimal(line, "quantity") * _decimal(line, "unit_price") * (1 - _decimal(line, "discount"))
        net = Money.rounded(price, "CNY").amount
        assert (line["net"], line["tax"]) == (str(net), _cny(net * _decimal(line, "tax_rate")))
    assert _sum(PLACED["lines"], "net") == PLACED["net"]
    assert _sum(PLACED["lines"], "tax") == PLACED["tax"]
    assert _cny(_decimal(PLACED, "net") + _decimal(PLACED, "tax")) == PLACED["total"]


def test_rule_02_instalments_of_the_story_are_split_for_each_tax_rate() -> None:
    percents = [_decimal(term, "percent") for term in PLACED["terms"]]
    for part in ("net", "tax"):
        of_rates: dict[str, Decimal] = defaultdict(Decimal)
        for line in PLACED["lines"]:
            of_rates[line["tax_rate"]] += _decimal(line, part)
        split = [Money.rounded(amount, "CNY").split(percents) for amount in of_rates.values()]
        assert [each[part] for each in PLANNED["instalments"]] == [
            str(Money.total(shares, "CNY").amount) for shares in zip(*split, strict=True)
        ]
    for instalment in PLANNED["instalments"]:
        assert _cny(_decimal(instalment, "net") + _decimal(instalment, "tax")) == instalment["amount"]
    assert _sum(PLANNED["instalments"], "amount") == PLANNED["total"] == PLACED["total"]
    assert STORY["account.settled.v1"]["total"] == PLACED["total"]


def test_the_advance_is_invoiced_and_paid() -> None:
    advance = PLANNED["instalments"][0]
    assert INVOICE["instalment_ids"] == [advance["id"]] == [STORY["instalment.paid.v1"]["instalment_id"]]
    assert (INVOICE["net"], INVOICE["tax"], INVOICE["total"]) == (advance["net"], advance["tax"], advance["amount"])
    assert (_sum(INVOICE["by_rate"], "net"), _sum(INVOICE["by_rate"], "tax")) == (INVOICE["net"], INVOICE["tax"])
    assert RECEIPT["allocations"] == [
        {"invoice_id": INVOICE["invoice_id"], "instalment_id": advance["id"], "amount": INVOICE["total"]}
    ]
    assert _cny(_decimal(RECEIPT, "amount") - _decimal(INVOICE, "total")) == RECEIPT["unallocated"]
    told = STORY["erp.order.progressed.v1"]["amounts"]
    assert told == {member: INVOICE[member] for member in ("currency", "net", "tax", "total")}


def test_every_task_instalment_and_deliverable_of_the_story_was_planned() -> None:
    planned = {
        "task_id": {task["id"] for task in PROJECT["tasks"]},
        "instalment_id": {instalment["id"] for instalment in PLANNED["instalments"]},
        "deliverable_id": {deliverable["id"] for deliverable in PROJECT["deliverables"]},
        "client_id": {PLACED["client"]["id"]},
    }
    for body in STORY.values():
        for member, known in planned.items():
            assert body.get(member) is None or body[member] in known


def test_stages_and_milestones_of_the_story_are_those_of_its_type() -> None:
    order_type = STORY["order_type.published.v1"]
    stages = {stage["code"] for stage in order_type["stages"]}
    assert {task["stage"] for task in PROJECT["tasks"]} < stages
    assert [milestone["code"] for milestone in order_type["milestones"]] == PLACED["milestone_codes"]
    assert [milestone["code"] for milestone in PROJECT["milestones"]] == PLACED["milestone_codes"]
    Draft202012Validator(order_type["fields_schema"]).validate(PLACED["fields"])


def _decimal(body: Any, member: str) -> Decimal:
    return Decimal(body[member])


def _sum(bodies: Any, member: str) -> str:
    return _cny(sum((_decimal(body, member) for body in bodies), Decimal(0)))


def _cny(amount: Decimal) -> str:
    return str(Money.rounded(amount, "CNY").amount)
