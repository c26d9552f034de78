"""What other releases tell."""

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from contracts.generate import RELEASED, ROOT

RELEASES: dict[tuple[str, str], dict[str, Any]] = {
    (path.parent.name, path.stem): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / RELEASED).glob("*/*.json"))
}
"""Schemas by version and name."""


def as_told_then(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], *, only_required: bool) -> Any:
    """The part of an example of today that a release with `schema` would have told."""
    schema = _resolved(schema, root)
    if isinstance(value, dict) and "properties" in schema:
        known = schema.get("required", []) if only_required else schema["properties"]
        return {
            name: as_told_then(value[name], schema["properties"][name], root, only_required=only_required)
            for name in known
            if name in value
        }
    if isinstance(value, list) and "items" in schema:
        return [as_told_then(each, schema["items"], root, only_required=only_required) for each in value]
    for choice in schema.get("anyOf", ()):
        if Draft202012Validator({**choice, "$defs": root.get("$defs", {})}).is_valid(value):
            return as_told_then(value, choice, root, only_required=only_required)
    return value


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref", "")
    return root["$defs"][reference.removeprefix("#/$defs/")] if reference else schema
