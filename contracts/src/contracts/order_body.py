"""The order as it is asked for: one schema for `POST /orders`, a line of a file, and an ERP's message.

Nothing is coerced and nothing unknown is taken. Every error in a body is found in one reading.
"""

import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated, Any, Self, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from contracts.order import BillingMethod, Due
from contracts.strict import NUMBER, Code, Currency, Day, Description, Number, Text, wrong

T = TypeVar("T")

BODY_BYTES_MAX = 1024 * 1024
"""Of one order's JSON, in UTF-8."""
LINES_MAX = 500
TERMS_MAX = 60
DAYS_MAX = 3650
FIELDS_LEVELS_MAX = 32
"""Of lists and objects within each other; a body with hundreds could not be written as JSON again."""
NOT_KEPT = re.compile("[\0\ud800-\udfff]")
"""What PostgreSQL or UTF-8 has no place for."""
MEMBER_OF_DUE: dict[str, str] = {"on_date": "date", "on_milestone": "milestone", "after_acceptance": "days"}
"""The one member that a due rule needs; the others need none."""


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]
    if "anyOf" in schema:
        schema.update(schema.pop("anyOf")[0])


OR_LEFT_OUT = Field(json_schema_extra=_without_default)
"""The default says that the member was left out. Written down, as `null` or as something empty, it is refused."""


class Incoming(BaseModel):
    """Nothing is coerced and nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ClientBody(Incoming):
    """Who orders."""

    code: Code
    """The client is found by it, or registered under it."""
    name: Text
    """Kept on this order as it is written here."""
    tax_id: Text | None = None


class LineBody(Incoming):
    """Its net is quantity * unit price * (1 - discount), its tax is net * tax rate, each rounded once."""

    item: Text
    description: Description = ""
    quantity: Annotated[Number, Field(gt=0, le=10**9)]
    """Above 0, at most 1,000,000,000."""
    unit: Text
    unit_price: Annotated[Number, Field(le=10**9)]
    """At most 1,000,000,000, before discount and tax."""
    discount: Annotated[Number, Field(le=1)] = Decimal(0)
    """A fraction: 0.05 is 5 %. At most 1."""
    tax_rate: Annotated[Number, Field(le=1)] = Decimal(0)
    """A fraction: 0.13 is 13 %. At most 1."""
    billing_method: BillingMethod = "fixed"


class TermBody(Incoming):
    """`date` goes with on_date, `milestone` with on_milestone, `days` with after_acceptance, and with nothing else."""

    code: Code
    """Another one for each term of an order."""
    percent: Annotated[Number, Field(gt=0)]
    """Above 0; those of all terms add up to exactly 100."""
    due: Due
    date: Annotated[Day | None, OR_LEFT_OUT] = None
    """From this date on it may be invoiced."""
    milestone: Annotated[Code | None, OR_LEFT_OUT] = None
    """One that the order's type has."""
    days: Annotated[Annotated[int, Field(ge=0, le=DAYS_MAX)] | None, OR_LEFT_OUT] = None
    """After the acceptance."""

    @model_validator(mode="wrap")
    @classmethod
    def _has_the_member_of_its_due(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return _with_errors(handler, given, list(_errors_of_due(given)))


def _errors_of_due(given: Any) -> Iterator[InitErrorDetails]:
    if not isinstance(given, dict) or given.get("due") not in get_args(Due):
        return
    due = given["due"]
    for member in MEMBER_OF_DUE.values():
        needed = MEMBER_OF_DUE.get(due) == member
        if needed and given.get(member) is None:
            yield _error((member,), given, f"{due} needs it")
        if not needed and member in given:
            yield _error((member,), given, f"leave it out: it does not go with {due}")


def _total_100(given: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Also where single terms are wrong: every error is named in one reading."""
    return _with_errors(handler, given, list(_errors_among_terms(given)))


def _errors_among_terms(given: Any) -> Iterator[InitErrorDetails]:
    if not isinstance(given, list) or not given or len(given) > TERMS_MAX:
        return
    members = [term if isinstance(term, dict) else {} for term in given]
    percents = [term.get("percent") for term in members]
    numbers = [Decimal(each) for each in percents if isinstance(each, str) and NUMBER.fullmatch(each)]
    if len(numbers) == len(given) and sum(numbers) != 100:
        yield _error((), given, f"the percents add up to {sum(numbers)}: make them exactly 100")
    seen = set()
    for position, code in enumerate(term.get("code") for term in members):
        if isinstance(code, str) and code in seen:
            yield _error((position, "code"), code, "another term has this code already")
        seen.add(code if isinstance(code, str) else None)


def _kept_exactly(given: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Any JSON that can be written as JSON again: what is in it is the order type's to say."""
    return _with_errors(handler, given, list(_errors_within(given, ())))


def _errors_within(value: Any, loc: tuple[int | str, ...]) -> Iterator[InitErrorDetails]:
    if isinstance(value, str) and NOT_KEPT.search(value):
        yield _error(loc, value, "leave out lone surrogates and NUL")
    if isinstance(value, float) and not math.isfinite(value):
        yield _error(loc, value, "write a number that is finite")
    if isinstance(value, list | dict) and len(loc) >= FIELDS_LEVELS_MAX:
        yield _error(loc, value, f"put at most {FIELDS_LEVELS_MAX} lists and objects within each other")
        return
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _errors_within(name, (*loc, name))
            yield from _errors_within(member, (*loc, name))
    if isinstance(value, list):
        for position, member in enumerate(value):
            yield from _errors_within(member, (*loc, position))


class OrderBody(Incoming):
    """One order of a file or of an ERP. Over HTTP `external_id` may be missing and `draft` may be there."""

    external_id: Text
    """What the sender calls it: one order for each, per source."""
    client: ClientBody
    order_type: Code
    title: Text
    currency: Currency
    """ISO 4217."""
    requested_date: Day | None = None
    priority: Annotated[int, Field(ge=1, le=5)] = 3
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=LINES_MAX)]
    fields: Annotated[dict[str, Any], WrapValidator(_kept_exactly)] = {}
    """What the order's type asks for, by the JSON Schema that it publishes; at most 32 levels."""
    terms: Annotated[
        list[TermBody], Field(min_length=1, max_length=TERMS_MAX), WrapValidator(_total_100), OR_LEFT_OUT
    ] = []
    """Left out: the terms of the order's type."""


class HttpOrderBody(OrderBody):
    """An order over HTTP. `draft` keeps it to ourselves until it is placed."""

    external_id: Annotated[Text, OR_LEFT_OUT] = ""
    draft: bool = False


def _with_errors(handler: Callable[[Any], T], given: Any, more: list[InitErrorDetails]) -> T:
    """What `handler` makes of `given`, or all of its errors together with `more`."""
    try:
        value = handler(given)
    except ValidationError as invalid:
        found = [_error(error["loc"], error["input"], error["msg"]) for error in invalid.errors(include_url=False)]
        raise ValidationError.from_exception_data("order", found + more) from None
    if more:
        raise ValidationError.from_exception_data("order", more)
    return value


def _error(loc: tuple[int | str, ...], given: Any, reason: str) -> InitErrorDetails:
    return InitErrorDetails(type=wrong(reason), loc=loc, input=given)
