"""Which changes of a schema are refused: everything but new optional fields."""

from typing import Any

import pytest

from contracts.compatibility import breaking_changes

Schema = dict[str, Any]


def record(required: tuple[str, ...] = (), defs: Schema | None = None, **fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "required": list(required), "$defs": defs or {}}


def nested(part: Schema) -> Schema:
    """The same change three levels down: behind a list, a reference and an optional one."""
    line = record(part={"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}], "default": None})
    return record(
        ("lines",), lines={"type": "array", "items": {"$ref": "#/$defs/Line"}}, defs={"Line": line, "Part": part}
    )


TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
OPTIONAL_TEXT: Schema = {"anyOf": [TEXT, {"type": "null"}], "default": None}

REFUSED = {
    "a field is removed": (record(a=TEXT, b=TEXT), record(a=TEXT), "/b: the field was removed"),
    "a required field is removed": (record(("a",), a=TEXT), record(), "/a: the field was removed"),
    "a field is renamed": (record(a=TEXT), record(b=TEXT), "/a: the field was removed"),
    "a type changes": (record(a=TEXT), record(a=NUMBER), '/a: type changed from "string" to "integer"'),
    "a type is dropped": (record(a=TEXT), record(a={}), '/a: type "string" was removed'),
    "a type appears": (record(a={}), record(a=TEXT), '/a: type "string" was added'),
    "a new field is required": (record(), record(("a",), a=TEXT), "/a: a new field must be optional"),
    "an optional field becomes required": (record(a=TEXT), record(("a",), a=TEXT), "/a: it became required"),
    "a required field becomes optional": (record(("a",), a=TEXT), record(a=TEXT), "/a: it became optional"),
    "an enum is narrowed": (
        record(a={"enum": ["x", "y"]}),
        record(a={"enum": ["x"]}),
        '/a: enum changed from ["x", "y"] to ["x"]',
    ),
    "an enum is widened": (
        record(a={"enum": ["x"]}),
        record(a={"enum": ["x", "y"]}),
        '/a: enum changed from ["x"] to ["x", "y"]',
    ),
    "a const changes": (record(a={"const": "x"}), record(a={"const": "y"}), '/a: const changed from "x" to "y"'),
    "a pattern changes": (
        record(a={"pattern": "^a$"}),
        record(a={"pattern": "^b$"}),
        '/a: pattern changed from "^a$" to "^b$"',
    ),
    "a pattern is dropped": (record(a={"pattern": "^a$"}), record(a={}), '/a: pattern "^a$" was removed'),
    "a format changes": (
        record(a={"format": "date"}),
        record(a={"format": "date-time"}),
        '/a: format changed from "date" to "date-time"',
    ),
    "a limit is tightened": (
        record(a={"maxLength": 200}),
        record(a={"maxLength": 100}),
        "/a: maxLength changed from 200 to 100",
    ),
    "a limit is loosened": (record(a={"maximum": 5}), record(a={"maximum": 9}), "/a: maximum changed from 5 to 9"),
    "a limit appears": (record(a={}), record(a={"minItems": 1}), "/a: minItems 1 was added"),
    "a default changes": (record(a={"default": 0}), record(a={"default": 1}), "/a: default changed from 0 to 1"),
    "a default false becomes 0": (
        record(a={"default": False}),
        record(a={"default": 0}),
        "/a: default changed from false to 0",
    ),
    "items change": (
        record(a={"type": "array", "items": TEXT}),
        record(a={"type": "array", "items": NUMBER}),
        '/a/*: type changed from "string" to "integer"',
    ),
    "items are dropped": (record(a={"items": TEXT}), record(a={}), '/a: items {"type": "string"} was removed'),
    "a field becomes nullable": (record(a=TEXT), record(a=OPTIONAL_TEXT), '/a: type "string" was removed'),
    "a field is no longer nullable": (record(a=OPTIONAL_TEXT), record(a=TEXT), '/a: type "string" was added'),
    "one choice of two changes": (
        record(a=OPTIONAL_TEXT),
        record(a={"anyOf": [NUMBER, {"type": "null"}], "default": None}),
        '/a: type changed from "string" to "integer"',
    ),
    "a choice is added": (
        record(a={"anyOf": [TEXT]}),
        record(a={"anyOf": [TEXT, NUMBER]}),
        '/a: anyOf changed from [{"type": "string"}] to [{"type": "string"}, {"type": "integer"}]',
    ),
    "a closed object is opened": (
        record(a={"additionalProperties": False}),
        record(a={"additionalProperties": True}),
        "/a/*: schema changed from false to true",
    ),
    "the values of a map change": (
        record(a={"additionalProperties": TEXT}),
        record(a={"additionalProperties": NUMBER}),
        '/a/*: type changed from "string" to "integer"',
    ),
    "a keyword that is not known here changes": (
        record(a={"multipleOf": 2}),
        record(a={"multipleOf": 3}),
        "/a: multipleOf changed from 2 to 3",
    ),
    "a definition behind a reference changes": (
        record(a={"$ref": "#/$defs/P"}, defs={"P": record(x=TEXT)}),
        record(a={"$ref": "#/$defs/P"}, defs={"P": record(x=NUMBER)}),
        '/a/x: type changed from "string" to "integer"',
    ),
    "a reference leads to another definition": (
        record(a={"$ref": "#/$defs/P"}, defs={"P": TEXT, "Q": NUMBER}),
        record(a={"$ref": "#/$defs/Q"}, defs={"P": TEXT, "Q": NUMBER}),
        '/a: type changed from "string" to "integer"',
    ),
    "a keyword beside a reference changes": (
        record(a={"$ref": "#/$defs/P"}, b={"$ref": "#/$defs/P"}, defs={"P": TEXT}),
        record(a={"$ref": "#/$defs/P"}, b={"$ref": "#/$defs/P", "default": "x"}, defs={"P": TEXT}),
        '/b: default "x" was added',
    ),
    "a reference is replaced by something else": (
        record(a={"$ref": "#/$defs/P"}, defs={"P": TEXT}),
        record(a=NUMBER),
        '/a: type changed from "string" to "integer"',
    ),
    "a field far down is removed": (
        nested(record(x=TEXT)),
        nested(record()),
        "/lines/*/part/x: the field was removed",
    ),
    "a new field far down is required": (
        nested(record(x=TEXT)),
        nested(record(("y",), x=TEXT, y=TEXT)),
        "/lines/*/part/y: a new field must be optional",
    ),
}

ALLOWED = {
    "nothing changes": (record(("a",), a=TEXT), record(("a",), a=TEXT)),
    "an optional field is new": (record(("a",), a=TEXT), record(("a",), a=TEXT, b=OPTIONAL_TEXT)),
    "an optional field far down is new": (nested(record(x=TEXT)), nested(record(x=TEXT, y=OPTIONAL_TEXT))),
    "an optional field of a new definition is new": (
        record(),
        record(a={"$ref": "#/$defs/P"}, defs={"P": record(("x",), x=TEXT)}),
    ),
    "texts for people change": (
        record(a=TEXT | {"title": "A", "description": "old", "examples": ["x"]}),
        record(a=TEXT | {"title": "B", "description": "new", "deprecated": True}),
    ),
    "the order of an enum and of required fields changes": (
        record(("a", "b"), a={"enum": ["x", "y"]}, b=TEXT),
        record(("b", "a"), a={"enum": ["y", "x"]}, b=TEXT),
    ),
    "the order of the members of a default changes": (
        record(a={"default": {"x": 1, "y": 2}}),
        record(a={"default": {"y": 2, "x": 1}}),
    ),
    "a definition is renamed": (
        record(a={"$ref": "#/$defs/P"}, defs={"P": record(x=TEXT)}),
        record(a={"$ref": "#/$defs/Q"}, defs={"Q": record(x=TEXT)}),
    ),
    "a definition is written out": (record(a={"$ref": "#/$defs/P"}, defs={"P": TEXT}), record(a=TEXT)),
}


@pytest.mark.parametrize(("old", "new", "change"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_when(old: Schema, new: Schema, change: str) -> None:
    assert change in breaking_changes(old, new)


@pytest.mark.parametrize(("old", "new"), ALLOWED.values(), ids=ALLOWED)
def test_it_is_allowed_when(old: Schema, new: Schema) -> None:
    assert breaking_changes(old, new) == []


def test_every_change_is_named_once() -> None:
    old = record(("a",), a=TEXT, b={"enum": ["x"]}, c=NUMBER)
    new = record(a=NUMBER, b={"enum": ["y"]})
    assert breaking_changes(old, new) == [
        "/a: it became optional",
        '/a: type changed from "string" to "integer"',
        '/b: enum changed from ["x"] to ["y"]',
        "/c: the field was removed",
    ]


def test_a_definition_may_hold_itself() -> None:
    def tree(leaf: Schema) -> Schema:
        node = record(leaf=leaf, children={"type": "array", "items": {"$ref": "#/$defs/Node"}})
        return {"$ref": "#/$defs/Node", "$defs": {"Node": node}}

    assert breaking_changes(tree(TEXT), tree(TEXT)) == []
    assert breaking_changes(tree(TEXT), tree(NUMBER)) == ['/leaf: type changed from "string" to "integer"']
