"""The words of every notice, in each language: one dictionary for people of the company, one for clients' people.

A client's person is never given a text of the first, whatever an audience says. Each says what happened, then what
the reader can do: short, exact, without exclamation marks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from contracts.event import Labels
from notify.texts.en import ENGLISH
from notify.texts.text import Language, Text
from notify.texts.zh_cn import CHINESE

LANGUAGES: dict[str, Language] = {language.locale: language for language in (CHINESE, ENGLISH)}
SYMBOLS = {"CNY": "¥", "JPY": "JP¥", "EUR": "€", "GBP": "£", "USD": "US$"}
"""Other currencies are named by their code."""


@dataclass(frozen=True)
class Words:
    """A notice, written."""

    locale: str
    subject: str
    """One line."""
    text: str


def language_of(locale: str) -> Language:
    """The language in which someone of `locale` is written to."""
    return CHINESE if locale.lower().startswith("zh") else ENGLISH


def has_text(name: str, *, for_client: bool) -> bool:
    """Whether people of that kind are told of this at all."""
    return name in (CHINESE.client if for_client else CHINESE.staff)


def write(name: str, language: Language, *, for_client: bool, values: Mapping[str, Any]) -> Words:
    """The notice `name`, filled with `values`. `KeyError` when people of that kind are not told of it."""
    subject, text = _templates(name, language.locale, for_client)
    return Words(
        locale=language.locale,
        subject=" ".join(subject.render(values).split()),  # a header has no room for a second line
        text=text.render(values).lstrip(),
    )


def together(all_words: Sequence[Words]) -> Words:
    """Several notices as one, each with its subject; what stands around them is in the language of the last."""
    language = LANGUAGES[all_words[-1].locale]
    numbered = (f"{number}. {words.subject}\n\n{words.text}" for number, words in enumerate(all_words, start=1))
    return Words(language.locale, language.together(len(all_words), all_words[0].subject), "\n---\n\n".join(numbered))


@cache
def _templates(name: str, locale: str, for_client: bool) -> tuple[Template, Template]:
    language, environment = LANGUAGES[locale], _environment(locale)
    text = (language.client if for_client else language.staff)[name]
    whole = "\n\n".join(part.strip() for part in (text.happened, text.then, language.foot))
    return _template(environment, text.subject), _template(environment, whole + "\n")


def _template(environment: Environment, source: str) -> Template:
    template = environment.from_string(source)
    template.globals = {}  # no text uses them, and every rendering would go through them
    return template


@cache
def _environment(locale: str) -> Environment:
    language = LANGUAGES[locale]
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters |= {
        "label": _in_chinese if language is CHINESE else _in_english,
        "money": money,
        "day": language.day,
        "named": language.named,
        "facts": lambda facts: language.comma.join(language.facts.get(fact, fact) for fact in facts),
        "listed": language.comma.join,
    }
    return environment


def _in_chinese(labels: Labels) -> str:
    return labels.zh


def _in_english(labels: Labels) -> str:
    return labels.en


def money(amount: Decimal | str, currency: str) -> str:
    """The full amount, as its currency writes it: the digits are those that were told."""
    digits = f"{Decimal(amount):,f}"
    sign, digits = ("−", digits[1:]) if digits.startswith("-") else ("", digits)
    return sign + (SYMBOLS.get(currency) or f"{currency} ") + digits


__all__ = ["LANGUAGES", "Text", "Words", "has_text", "language_of", "money", "together", "write"]
