"""What every operation may answer beside what it is for, said once in the OpenAPI document of each service."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI

from chassis.http import SAFE_METHODS

PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "Why something was not done, and what to do about it (RFC 9457). Its type is the refusal's name.",
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {
                    "field": {"type": "string", "description": "A JSON Pointer (RFC 6901), empty for the whole."},
                    "reason": {"type": "string"},
                },
            },
        },
        "reference": {"type": "string", "description": "Of a failure on our side: tell it to who runs the platform."},
    },
}
MEANINGS = {
    "400": "A header or a cursor cannot be read.",
    "401": "Nobody is signed in, or the token is none to trust.",
    "403": "Whoever asks may not.",
    "404": "There is no such thing, or not for whoever asks.",
    "409": "It is not in a state for this, or it changed since it was read.",
    "412": "It changed since it was read with the version in If-Match.",
    "413": "The body is too large.",
    "422": "What was sent is wrong: see the errors.",
    "429": "Too many attempts: Retry-After says when the next one may be made.",
    "503": "A part of the system is away, or has not read yet what Orderloom-After names: try again.",
}
OF_SOME_SERVICES = ("/admin/read-model",)
"""They are asked of every service, and some have no such thing."""
OF_ALL = ("400", "401", "403", "413", "422", "503")
REFERENCE = {"$ref": "#/components/schemas/Problem"}
OF_FASTAPI = ("HTTPValidationError", "ValidationError")


def document_problems(api: FastAPI) -> None:
    """Let the document of `api` name every refusal of every operation; FastAPI knows only its own, in another form."""
    of_fastapi = api.openapi

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            document = of_fastapi()
            for path, method, operation in operations_in(document):
                _add_problems(operation, path=path, is_safe=method.upper() in SAFE_METHODS)
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = PROBLEM
            for name in OF_FASTAPI:
                schemas.pop(name, None)
        assert api.openapi_schema is not None
        return api.openapi_schema

    api.openapi = openapi  # type: ignore[method-assign]


def operations_in(document: dict[str, Any]) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of each."""
    for path, item in document["paths"].items():
        yield from ((path, method, operation) for method, operation in item.items() if "responses" in operation)


def _add_problems(operation: dict[str, Any], *, path: str, is_safe: bool) -> None:
    statuses = {*OF_ALL, *(status for status in operation["responses"] if status in MEANINGS)}
    statuses |= set() if is_safe else {"404", "409"}
    statuses |= {"404"} if "{" in path or path in OF_SOME_SERVICES else set()
    statuses |= {"412"} if any(each["name"] == "if-match" for each in operation.get("parameters", ())) else set()
    for status in sorted(statuses):
        content = {"application/problem+json": {"schema": REFERENCE}}
        operation["responses"][status] = {"description": MEANINGS[status], "content": content}
