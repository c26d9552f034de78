"""An order as it comes in, by HTTP, by file or by an ERP: read once, with every error in it, or taken."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError
from referencing import Registry

from chassis.errors import FieldError, Invalid, TooLarge, field_errors, pointer
from contracts.directory import OrderTypePublished
from contracts.order_body import BODY_BYTES_MAX, OrderBody
from contracts.strict import Text

B = TypeVar("B", bound=OrderBody)

TEXT = TypeAdapter(Text)
NOTHING_ELSE: Registry[Any] = Registry()
"""A schema refers to itself alone: by default the library would fetch what it names, from anywhere."""


class OrderWrong(Invalid):
    """The order cannot be taken as it is; `errors` name everything that is wrong in it."""


class OrderTooLarge(TooLarge):
    """Its JSON is over the limit."""


def parse(raw: bytes) -> Any:
    """The JSON in `raw`, in UTF-8. Raises `OrderWrong` for what is none, `OrderTooLarge`."""
    if len(raw) > BODY_BYTES_MAX:
        reason = f"make its JSON at most {BODY_BYTES_MAX} bytes long, or place it as several orders"
        raise OrderTooLarge("The order is too large.", errors=[FieldError("", reason)])
    try:
        return json.loads(raw.decode(), parse_constant=_no_number, parse_int=_whole_number)
    except (ValueError, RecursionError) as reason:
        raise OrderWrong("The order is not JSON in UTF-8.", errors=[FieldError("", f"not JSON: {reason}")]) from reason


def check(given: Any, body_class: type[B], types: Mapping[str, OrderTypePublished], *, is_complete: bool = True) -> B:
    """What is wanted, in the terms of its type. Raises `OrderWrong` with every error in it.

    `types` are the newest versions by code. What depends on the type is checked even where the rest is wrong. Unless it
    `is_complete`, the type's own fields may still be missing or wrong.
    """
    errors: list[FieldError] = []
    body: B | None = None
    try:
        body = body_class.model_validate(given)
    except ValidationError as invalid:
        errors = field_errors(invalid)
    if isinstance(given, dict):
        errors += _errors_by_type(given if is_complete else given | {"fields": None}, types)
    if errors or body is None:
        raise OrderWrong("The order is wrong: see the errors.", errors=list(dict.fromkeys(errors)))
    return body


def external_id_of(given: Any) -> str | None:
    """What the sender calls it, as far as that can be told of an order that may be wrong."""
    named = given.get("external_id") if isinstance(given, dict) else None
    return pointer([named])[1:] if isinstance(named, str) else None


def sha256(given: Any) -> str:
    """The same for equal bodies: neither the order of members nor white space matters, "120" and "120.0" differ."""
    return hashlib.sha256(json.dumps(_canonical(given), sort_keys=True).encode()).hexdigest()


def _errors_by_type(given: dict[str, Any], types: Mapping[str, OrderTypePublished]) -> Iterator[FieldError]:
    code = given.get("order_type")
    if not isinstance(code, str):
        return
    if code not in types:
        yield FieldError("/order_type", f"there is no such type: choose one of {', '.join(sorted(types))}")
        return
    fields, terms = given.get("fields", {}), given.get("terms", [])
    if isinstance(fields, dict):
        try:
            yield from _errors_in_fields(fields, types[code].fields_schema)
        except RecursionError:
            yield FieldError("/fields", "it is nested too deeply, or its type refers to itself without end")
    milestones = [milestone.code for milestone in types[code].milestones]
    for number, term in enumerate(terms if isinstance(terms, list) else []):
        named = term.get("milestone") if isinstance(term, dict) and term.get("due") == "on_milestone" else None
        if isinstance(named, str) and named not in milestones:
            yield FieldError(f"/terms/{number}/milestone", f"the type knows the milestones {', '.join(milestones)}")


def _errors_in_fields(fields: dict[str, Any], schema: dict[str, Any]) -> Iterator[FieldError]:
    for wrong in Draft202012Validator(schema, registry=NOTHING_ELSE).iter_errors(fields):
        location = ["fields", *wrong.absolute_path]
        if wrong.validator == "required":
            missing = [name for name in wrong.validator_value if name not in wrong.instance]
            yield from (FieldError(pointer([*location, name]), "the type requires it") for name in missing)
        elif wrong.validator == "additionalProperties":
            unknown = [name for name in wrong.instance if name not in wrong.schema.get("properties", {})]
            yield from (FieldError(pointer([*location, name]), "the type knows no such field") for name in unknown)
        else:
            yield FieldError(pointer(location), wrong.message[:200].encode("utf-8", "replace").decode())
    yield from _unstorable(("fields",), fields)


def _unstorable(location: tuple[str | int, ...], value: Any) -> Iterator[FieldError]:
    """What JSON Schema lets pass and no other rule catches: texts and numbers that nothing could keep."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _unstorable((*location, name), member)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _unstorable((*location, number), member)
    if isinstance(value, str):
        try:
            TEXT.validate_python(value)
        except ValidationError as invalid:
            yield from (FieldError(pointer(location), error.reason) for error in field_errors(invalid))
    if isinstance(value, float) and not math.isfinite(value):
        yield FieldError(pointer(location), "the number is too large")


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_canonical(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON")


def _whole_number(digits: str) -> int | float:
    """One too long to be read is infinite, and refused where it stands."""
    try:
        return int(digits)
    except ValueError:
        return math.inf
