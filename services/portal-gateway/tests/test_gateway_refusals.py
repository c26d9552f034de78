"""Whatever a service refuses, its page says so in the reader's language, and what to do."""

import datetime as dt
import importlib
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from chassis.errors import Conflict, Forbidden, Invalid, Refusal, TooLarge
from chassis.problems import name_of
from contracts.topics import SERVICES
from portal.pages.calls import CallRefused
from portal.pages.language import LANGUAGES, Formats, Language
from portal.pages.refusals import REASONS, REFUSED, WITH_PARTICULARS, particulars, told, told_of_fields

KINDS = (Invalid, Conflict, Forbidden, TooLarge)
"""Raised by no service as they are."""
MET_BY_NO_FORM = {
    "a page leads to the sign-in": ("not-signed-in", "form-expired", "wrong-name-or-password"),
    "a page says that a part is away": ("service-away", "not-yet-read", "no-such-address"),
    "the stream of a page": ("too-many-streams",),
    "keys of systems are issued by API": ("api-key-not-found", "system-name-reserved", "shown-once"),
    "orders are changed and imported by API": ("order-not-editable", "too-many-lines"),
    "types, templates and calendars are published by API": (
        "order-type-wrong",
        "template-wrong",
        "calendar-wrong",
    ),
    "facts, not requests": ("order-does-not-add-up", "no-working-day"),
    "of operators, by API and command": ("no-read-model", "rebuild-not-found", "too-many-to-tell-again"),
    "all notices are marked as read at once": ("notice-not-found",),
}


def formats(language: Language) -> Formats:
    return Formats(language, zone=ZoneInfo("Asia/Shanghai"), now=dt.datetime(2026, 11, 23, tzinfo=dt.UTC))


def test_every_refusal_that_a_form_can_meet_is_translated() -> None:
    not_met = {name for names in MET_BY_NO_FORM.values() for name in names}
    known = {name_of(each) for each in refusals()}
    assert known - not_met - REFUSED.keys() == set(), (
        "write it into portal/pages/refusals.py, or say why no form meets it"
    )
    assert not_met & REFUSED.keys() == set()
    assert (REFUSED.keys() | not_met) - known == set(), "no service says so any more"
    assert set(WITH_PARTICULARS) <= REFUSED.keys()


@pytest.mark.parametrize("sentence", sorted(set(REFUSED.values())))
def test_a_refusal_says_what_happened_and_then_what_to_do(sentence: str) -> None:
    assert sentence.endswith(".")
    assert formats("zh-CN").text(sentence).endswith("。")


def test_a_refusal_that_is_new_is_told_in_the_words_of_its_service_and_said_to_be() -> None:
    new = CallRefused(409, {"type": "moon-not-full", "title": "Wait for the moon."})
    assert told(new, formats("zh-CN")) == "未能完成，服务给出的原因："
    assert particulars(new) == "Wait for the moon."
    assert particulars(CallRefused(409, {"type": "order-not-held", "title": "It is approved."})) == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_wrong_with_a_field_is_said_in_the_language_of_the_page(language: Language) -> None:
    fmt = formats(language)
    said = told_of_fields(
        {
            "a": "String should have at least 8 characters",
            "b": "CNY has no such small part",
            "c": "'x' is not one of ['none', 'plated']",
            "d": "a reason that nobody has heard of",
        },
        fmt,
    )
    expected = {
        "en": {
            "a": "Write at least 8 characters",
            "b": "CNY has fewer digits after the point",
            "c": "Choose one that is offered",
            "d": "a reason that nobody has heard of",
        },
        "zh-CN": {
            "a": "请至少填写 8 个字符",
            "b": "CNY 的小数位没有这么多",
            "c": "请从给出的选项中选择",
            "d": "请更正：a reason that nobody has heard of",
        },
    }
    assert said == expected[language]


def test_every_reason_reads_on_its_own() -> None:
    for pattern, sentence in REASONS:
        named = set(re.findall(r"%\((\w+)\)s", sentence))
        assert named == set(re.compile(pattern).groupindex), pattern


def refusals() -> Iterator[type[Refusal]]:
    """All that the services and the gateway have, but for what they are made of."""
    for service in SERVICES:
        importlib.import_module(f"{'portal' if service == 'gateway' else service}.app")

    def below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    yield from (each for each in below(Refusal) if each not in KINDS and each.__module__ != __name__)
