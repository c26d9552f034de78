"""Parts of an order's page: its own fields as its type calls them, and how its instalments stand."""

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from gateway_world import CLIENT, DIRECTORY, ORDER, SALES, UNTIL_PLANNED, example

from contracts.directory import OrderTypePublished
from portal.pages.instalments import standings
from portal.pages.language import Formats, Language
from portal.pages.order_fields import written
from stack import Running

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
