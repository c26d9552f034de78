"""During a roll-out two releases speak to each other: each reads what the other tells."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.catalogue import EVENTS, MESSAGES
from contracts.generate import EXAMPLES, ROOT
from releases import RELEASES, as_told_then

STORY = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / EXAMPLES).glob("*.json")}

OLD: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}}},
    "required": ["a"],
    "$defs": {"Part": {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]}},
}


@pytest.mark.parametrize(("version", "name"), RELEASES)
def test_what_an_earlier_release_tells_is_read_by_this_one(version: str, name: str) -> None:
    """With all that it knew, and with no more than it had to tell."""
    schema = RELEASES[version, name]
    for only_required in (False, True):
        told = as_told_then(STORY[name], schema, schema, only_required=only_required)
        Draft202012Validator(schema).validate(told)
        MESSAGES[name].model_validate_json(json.dumps(told))


@pytest.mark.parametrize(("version", "name"), [(version, name) for version, name in RELEASES if name in EVENTS])
def test_what_this_release_tells_is_read_by_an_earlier_one(version: str, name: str) -> None:
    """It ignores what it does not know, and finds what it needs."""
    Draft202012Validator(RELEASES[version, name]).validate(STORY[name])


def test_what_was_told_then_has_none_of_what_came_later() -> None:
    now = {"a": "x", "since": 1, "parts": [{"b": 1, "since": 2}]}
    assert as_told_then(now, OLD, OLD, only_required=False) == {"a": "x", "parts": [{"b": 1}]}
    assert as_told_then(now, OLD, OLD, only_required=True) == {"a": "x"}
