"""The fields that orders of a type have of their own: named and written as its schema says, in the right language."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from portal.pages.language import N_, Formats


def label_of(name: str, member: Mapping[str, Any], fmt: Formats) -> str:
    """As the type calls it, else as its schema or its name does."""
    return fmt.label(_labels(member.get("x-labels")), str(member.get("title") or _plain(name)))


def option_of(value: Any, member: Mapping[str, Any], fmt: Formats) -> str:
    """One of the values that a schema enumerates."""
    named = _labels(member.get("x-enum-labels")) or {}
    return fmt.label(_labels(named.get(value) if isinstance(value, str) else None), str(value).replace("_", " "))


def written(fields: Mapping[str, Any], schema: Mapping[str, Any], fmt: Formats) -> list[tuple[str, str]]:
    """Label and value of each, in the order of the schema; what it does not know comes last, under its own name."""
    members = _labels(schema.get("properties")) or {}
    places = {name: place for place, name in enumerate(members)}
    names = sorted(fields, key=lambda name: places.get(name, len(places)))
    known = {name: _labels(members.get(name)) or {} for name in names}
    return [(label_of(name, known[name], fmt), _value(fields[name], known[name], fmt)) for name in names]


def _value(value: Any, member: Mapping[str, Any], fmt: Formats) -> str:
    if "enum" in member:
        return option_of(value, member, fmt)
    if isinstance(value, bool):
        return fmt.text(N_("Yes")) if value else fmt.text(N_("No"))
    if isinstance(value, int | float):
        return fmt.number(str(value))
    if isinstance(value, str):
        return _day(value, fmt) if member.get("format") == "date" else value
    if isinstance(value, list):
        return fmt.listed([_value(each, {}, fmt) for each in value])
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _day(value: str, fmt: Formats) -> str:
    try:
        return fmt.day(dt.date.fromisoformat(value))
    except ValueError:
        return value


def _labels(found: Any) -> Mapping[str, Any] | None:
    """A schema may hold anything under a name that JSON Schema does not know."""
    return found if isinstance(found, Mapping) else None


def _plain(name: str) -> str:
    return name.replace("_", " ").capitalize()
