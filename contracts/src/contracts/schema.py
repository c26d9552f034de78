"""The JSON Schema (draft 2020-12) of every message: what is frozen in `contracts/schemas/`."""

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from contracts.catalogue import EVENTS, REQUESTS

Schema = dict[str, Any]


def schemas() -> dict[str, Schema]:
    """By wire name. A fact's is what is told; a request's is what is taken."""
    told = {name: _schema(event, "serialization") for name, event in EVENTS.items()}
    taken = {name: _schema(request, "validation") for name, request in REQUESTS.items()}
    return told | taken


def _schema(message: type[BaseModel], mode: JsonSchemaMode) -> Schema:
    schema = message.model_json_schema(mode=mode, schema_generator=_WithMeanings)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


class _WithMeanings(GenerateJsonSchema):
    """Describes a field by the docstring below it. Pydantic can too, but while every service starts: 0.1 s each."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # it would only repeat the name

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        for field, meaning in _meanings(schema["cls"]).items():
            described["properties"][field].setdefault("description", meaning)
        return described


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """Of the fields that have a docstring, by their names in JSON."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, BaseModel) and owner is not BaseModel:
            found |= _docstrings(owner.__module__).get(owner.__name__, {})
    fields = model.model_fields
    return {fields[name].alias or name: text for name, text in found.items() if name in fields}


@cache
def _docstrings(module: str) -> dict[str, dict[str, str]]:
    """Of the annotated attributes of each class in `module`: the string on the line below."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        node.name: {
            field.target.id: inspect.cleandoc(below.value.value)
            for field, below in pairwise(node.body)
            if isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        }
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
