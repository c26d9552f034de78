"""Numbers as people write them into forms, and what else they may write there: read, or not, and never a failure."""

import re
from decimal import Decimal

DIGITS_MAX = 40
"""More are no amount of anything; an exponent of a few characters would stand for gigabytes."""
WHOLE = re.compile(r"[0-9]{1,18}")
EXACT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")


def whole(text: str) -> int | None:
    """None where no whole number of up to 18 digits is written; what Unicode also calls digits is none."""
    return int(text) if WHOLE.fullmatch(text) else None


def exact(text: str) -> Decimal | None:
    """With or without commas between the thousands. None where no plain number is written."""
    plain = text.replace(",", "")
    return Decimal(plain) if len(plain) <= DIGITS_MAX and EXACT.fullmatch(plain) else None
