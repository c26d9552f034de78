"""Parts of an order's page: its own fields as its type calls them, and how its instalments stand."""

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from gateway_world import CLIENT, DIRECTORY, ORDER, SALES, UNTIL_PLANNED, example

from contracts.directory import OrderTypePublished
from portal.api.rooms.account import happened
from portal.pages.instalments import standings
from portal.pages.language import Formats, Language
from portal.pages.order_fields import written
from portal.pages.particulars import Particulars
from stack import Running

TOLD = [{"user_id": "a", "channel": "email"}, {"user_id": "a", "channel": "in_app"}]
NOW = dt.datetime(2026, 11, 23, 1, 38, tzinfo=dt.UTC)
SCHEMA: dict[str, Any] = {
    "properties": {
        "material": {"type": "string", "title": "Material", "x-labels": {"zh": "材料", "en": "Material"}},
        "surface": {"enum": ["none", "plated"], "x-enum-labels": {"plated": {"zh": "电镀", "en": "Plated"}}},
        "urgent": {"type": "boolean", "title": "Urgent"},
        "wanted_on": {"type": "string", "format": "date"},
        "broken": {"x-labels": "not a mapping", "enum": [1, 2], "x-enum-labels": ["nor this"]},
    }
}


def formats(language: Language) -> Formats:
    return Formats(language, zone=ZoneInfo("Asia/Shanghai"), now=NOW)


def test_fields_are_named_and_written_as_their_type_says_in_the_order_of_its_schema() -> None:
    fields = {"surface": "plated", "other": [1, 0.5], "material": "6061", "wanted_on": "2026-12-04", "urgent": True}
    assert written(fields, SCHEMA, formats("zh-CN")) == [
        ("材料", "6061"),
        ("Surface", "电镀"),
        ("Urgent", "是"),
        ("Wanted on", "12 月 4 日"),
        ("Other", "1、0.5"),
    ]
    assert written({"surface": "none"}, SCHEMA, formats("en")) == [("Surface", "none")]


def test_a_schema_with_anything_under_the_names_of_our_labels_breaks_no_page() -> None:
    assert written({"broken": 1, "x": {"a": "乙"}}, SCHEMA, formats("en")) == [("Broken", "1"), ("X", '{"a": "乙"}')]
    assert written({"a": None}, {"properties": 7}, formats("en")) == [("A", "")]


@pytest.mark.parametrize(
    ("status", "rule", "due", "mark", "words"),
    [
        ("planned", "on_acceptance", None, "ahead", "Not due yet"),
        ("planned", "after_acceptance", None, "retained", "Retained"),
        ("due", "after_acceptance", "2026-11-01", "ahead", "To be invoiced"),
        ("invoiced", "on_approval", "2026-11-24", "invoiced", "Invoiced"),
        ("invoiced", "on_approval", "2026-11-20", "overdue", "3 days overdue"),
        ("paid", "on_approval", "2026-11-20", "paid", "Paid 21 Nov"),
        ("cancelled", "after_acceptance", None, "retained", "Cancelled"),
    ],
)
def test_an_instalment_stands_the_same_in_the_table_and_on_the_thread(
    status: str, rule: str, due: str | None, mark: str, words: str
) -> None:
    instalment = SimpleNamespace(
        percent=Decimal(30),
        rule=rule,
        status=status,
        due_date=dt.date.fromisoformat(due) if due else None,
        paid_on=dt.date(2026, 11, 21) if status == "paid" else None,
        amount=Decimal("10.00"),
    )
    (found,) = standings([instalment], formats("en"))
    assert (found.mark, found.words, found.is_cancelled) == (mark, words, status == "cancelled")


async def test_an_order_shows_its_fields_in_the_readers_language_to_the_company_and_to_its_client(
    gateway: Running,
) -> None:
    published = example(OrderTypePublished)
    material = {"type": "string", "x-labels": {"zh": "材料牌号", "en": "Grade of the material"}}
    labelled = published.model_copy(update={"fields_schema": {"properties": {"material": material}}})
    await gateway.hear(DIRECTORY[0], published, *UNTIL_PLANNED)
    before = (await gateway.get(f"/orders/{ORDER}?tab=money&lang=zh-CN", SALES)).text
    assert "<dt>Material</dt>" in before
    await gateway.hear(labelled)  # told once more, under another id
    assert "<dt>材料牌号</dt>" in (await gateway.get(f"/orders/{ORDER}?tab=money&lang=zh-CN", SALES)).text
    assert "<dt>Grade of the material</dt>" in (await gateway.get(f"/orders/{ORDER}?lang=en", CLIENT)).text


@pytest.mark.parametrize(
    ("type", "data", "named"),
    [
        ("order.stage_advanced.v1", {"from": "created", "to": "production"}, "Production"),
        ("order.stage_advanced.v1", {"to": "unheard_of"}, ""),
        ("milestone.reached.v1", {"milestone_code": "first_article"}, "First article"),
        ("task.blocked.v1", {"task_id": "t1", "reason": "No cutter."}, "Milling, No cutter."),
        ("task.reassigned.v1", {"task_id": "t1", "to": {"name": "Xu"}}, "Milling → Xu"),
        ("inspection.recorded.v1", {"task_id": "t1", "result": "failed"}, "Milling, failed"),
        ("time.logged.v1", {"task_id": "t1", "hours": "6.50"}, "Milling, 6.5 h"),
        ("approval.decided.v1", {"role": "sales_manager", "decision": "approved"}, "sales manager, approved"),
        ("instalment.paid.v1", {"code": "advance"}, "30% on approval"),
        ("invoice.issued.v1", {"number": "INV-1", "total": "9.50", "currency": "EUR"}, "INV-1, €9.50"),
        ("receipt.recorded.v1", {"amount": "9.50", "currency": "EUR"}, "€9.50"),
        (
            "notice.given.v1",
            {"cause_type": "order.held.v1", "recipients": [{"user_id": "a"}] * 2},
            "Order put on hold, 1 person",
        ),
        ("order.rejected.v1", {}, ""),
        ("something.new.v1", {"to": "production"}, ""),
        ("order.held.v1", "no JSON at all", ""),
    ],
)
def test_a_fact_names_what_it_is_about_as_far_as_the_page_shows_it(type: str, data: Any, named: str) -> None:
    def labels(name: str) -> dict[str, str]:
        return {"zh": name, "en": name}

    order = SimpleNamespace(
        stages=[SimpleNamespace(code="production", name=labels("Production"))],
        milestones=[SimpleNamespace(code="first_article", name=labels("First article"))],
        tasks=[SimpleNamespace(task_id="t1", name=labels("Milling"))],
        instalments=[SimpleNamespace(code="advance", percent="30", rule="on_approval")],
    )
    assert Particulars(order, formats("en")).of(type, data) == named


def test_a_notice_on_ones_own_page_ends_before_the_address_of_its_order() -> None:
    letter = "Wang Lin placed the order.\n\nOpen it to decide.\n\nOrder SO-1: Pumps\nhttps://example.org/orders/1\n"
    assert happened(letter) == "Wang Lin placed the order. Open it to decide."
    assert happened("One line alone.") == "One line alone."
