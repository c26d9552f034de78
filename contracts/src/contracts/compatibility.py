"""What a change of a schema breaks. Everything but a new optional field does: that is a V2 of the class."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

FOR_PEOPLE = frozenset({"$schema", "$id", "$comment", "$defs", "title", "description", "examples", "deprecated"})
"""Keywords that may change. Definitions are compared where they are referred to."""


def breaking_changes(old_schema: Schema, new_schema: Schema) -> list[str]:
    """Each change that someone who knows only `old_schema` would notice, as `/where: what`; none if it may be made.

    A reader of the old must understand the new, and a reader of the new must understand the old, which the thread
    keeps for ever: so nothing may be dropped, renamed, tightened or loosened.
    """
    return list(_Comparison(old_schema, new_schema).of_schemas(old_schema, new_schema, ""))


class _Comparison:
    """Of two documents, whose definitions `$ref` stands for."""

    def __init__(self, old_document: Schema, new_document: Schema) -> None:
        self._old_document, self._new_document = old_document, new_document
        self._compared: set[tuple[str, str]] = set()

    def of_schemas(self, old: Any, new: Any, where: str) -> Iterator[str]:
        if not isinstance(old, Mapping) or not isinstance(new, Mapping):  # JSON Schema allows true and false
            yield from _of_values("schema", old, new, where)
        elif "$ref" in old and "$ref" in new:
            yield from self._of_keywords(_without_ref(old), _without_ref(new), where)
            pair = (old["$ref"], new["$ref"])
            if pair not in self._compared:  # each once, and a definition may refer to itself
                self._compared.add(pair)
                yield from self.of_schemas(_target(old, self._old_document), _target(new, self._new_document), where)
        else:
            old, new = _resolved(old, self._old_document), _resolved(new, self._new_document)
            yield from self._of_keywords(old, new, where)

    def _of_keywords(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        yield from self._of_fields(old, new, where)
        for keyword in sorted((old.keys() | new.keys()) - FOR_PEOPLE - {"properties", "required"}):
            if keyword not in new:
                yield f"{where}: {keyword} {_text(old[keyword])} was removed"
            elif keyword not in old:
                yield f"{where}: {keyword} {_text(new[keyword])} was added"
            elif keyword in ("items", "additionalProperties"):
                yield from self.of_schemas(old[keyword], new[keyword], f"{where}/*")
            elif keyword in ("anyOf", "oneOf", "allOf") and len(old[keyword]) == len(new[keyword]):
                for old_choice, new_choice in zip(old[keyword], new[keyword], strict=True):
                    yield from self.of_schemas(old_choice, new_choice, where)
            else:
                yield from _of_values(keyword, old[keyword], new[keyword], where)

    def _of_fields(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
        for field in old_fields:
            if field not in new_fields:
                yield f"{where}/{field}: the field was removed"
                continue
            was_required, is_required = (field in schema.get("required", ()) for schema in (old, new))
            if was_required != is_required:
                yield f"{where}/{field}: it became {'required' if is_required else 'optional'}"
            yield from self.of_schemas(old_fields[field], new_fields[field], f"{where}/{field}")
        for field in new.get("required", ()):
            if field not in old_fields:
                yield f"{where}/{field}: a new field must be optional"


def _of_values(keyword: str, old: Any, new: Any, where: str) -> Iterator[str]:
    is_set = keyword == "enum" and isinstance(old, list) and isinstance(new, list)
    if sorted(map(_text, old)) != sorted(map(_text, new)) if is_set else _text(old) != _text(new):
        yield f"{where}: {keyword} changed from {_text(old)} to {_text(new)}"


def _resolved(schema: Schema, document: Schema) -> Schema:
    """The schema with what its `$ref` stands for, and what that refers to in turn."""
    while "$ref" in schema:
        schema = {**_target(schema, document), **_without_ref(schema)}
    return schema


def _target(schema: Schema, document: Schema) -> Schema:
    target: Schema = document["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return target


def _without_ref(schema: Schema) -> Schema:
    return {keyword: value for keyword, value in schema.items() if keyword != "$ref"}


def _text(value: Any) -> str:
    """JSON, which tells 1 from true and does not mind the order of members."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
