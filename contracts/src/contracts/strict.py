"""Single values of an order as it is asked for: nothing is coerced, and an error says what to write instead."""

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from contracts.currencies import MINOR_DIGITS

TEXT_CHARACTERS_MAX = 200
CODE_CHARACTERS_MAX = 64
DESCRIPTION_CHARACTERS_MAX = 2000
NUMBER = re.compile(r"[0-9]+(\.[0-9]{1,6})?")


def _decimal_string(value: object) -> Decimal:
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        raise wrong('write it as a string of digits, at most six of them after the point, like "12.50"')
    return Decimal(value)


def _real_date(value: object) -> dt.date:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise wrong('write it as a string "YYYY-MM-DD"')
    try:
        return dt.date.fromisoformat(value)
    except ValueError as reason:
        raise wrong(f"write a date that exists: {reason}") from None


def _without_control_characters(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise wrong("leave out control characters and lone surrogates")
    return text


def _with_line_breaks_only(text: str) -> str:
    _without_control_characters(text.replace("\n", "").replace("\r", ""))
    return text


def _known_currency(code: str) -> str:
    if code not in MINOR_DIGITS:
        raise wrong("write a currency code of ISO 4217 that has a smallest unit, like CNY")
    return code


Number = Annotated[
    Decimal,
    BeforeValidator(_decimal_string),
    WithJsonSchema({"type": "string", "format": "decimal", "pattern": f"^{NUMBER.pattern}$"}),
]
Day = Annotated[dt.date, BeforeValidator(_real_date), WithJsonSchema({"type": "string", "format": "date"})]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_CHARACTERS_MAX), AfterValidator(_without_control_characters)]
Code = Annotated[str, Field(min_length=1, max_length=CODE_CHARACTERS_MAX), AfterValidator(_without_control_characters)]
Description = Annotated[str, Field(max_length=DESCRIPTION_CHARACTERS_MAX), AfterValidator(_with_line_breaks_only)]
Prose = Annotated[
    str, Field(min_length=1, max_length=DESCRIPTION_CHARACTERS_MAX), AfterValidator(_with_line_breaks_only)
]
"""What someone writes to someone: a reason, a comment."""
Currency = Annotated[str, AfterValidator(_known_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})]


def wrong(reason: str) -> PydanticCustomError:
    """Unlike a `ValueError`, it is told in its own words only."""
    return PydanticCustomError("wrong", "{reason}", {"reason": reason})
