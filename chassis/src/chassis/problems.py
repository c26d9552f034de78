"""Every error leaves as problem+json (RFC 9457) and says what to do."""

import re
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from chassis.errors import Invalid, Refusal, field_errors, is_transient, is_unstorable

log = structlog.get_logger(__name__)


def answer_with_problems(api: FastAPI) -> None:
    """Make `api` answer every refusal and every error of its own with a problem."""
    api.add_exception_handler(Refusal, _answer_refusal)
    api.add_exception_handler(RequestValidationError, _answer_invalid)
    api.add_exception_handler(HTTPException, answer_http)
    api.add_exception_handler(Exception, answer_failure)


def problem(refusal: Refusal) -> JSONResponse:
    """The answer that says what was refused: its type is the refusal's name."""
    headers = {"Retry-After": str(refusal.retry_after_seconds)} if refusal.status in (429, 503) else {}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(problem_of(refusal), refusal.status, headers, media_type="application/problem+json")


def problem_of(refusal: Refusal) -> dict[str, Any]:
    """The document of that answer."""
    document: dict[str, Any] = {"type": name_of(type(refusal)), "title": str(refusal), "status": refusal.status}
    if refusal.errors:
        document["errors"] = [{"field": each.field, "reason": each.reason} for each in refusal.errors]
    return document


def name_of(refusal: type[Refusal]) -> str:
    """What problems call it: `order-not-found` of `OrderNotFound`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", refusal.__name__).lower()


async def _answer_refusal(request: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, Refusal)
    return problem(refusal)


class InvalidRequest(Invalid): ...


async def _answer_invalid(request: Request, invalid: Exception) -> JSONResponse:
    assert isinstance(invalid, RequestValidationError)
    return problem(InvalidRequest("The request is wrong: see the errors.", errors=field_errors(invalid, skip=1)))


async def answer_http(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses by itself, like an address where nothing is."""
    assert isinstance(error, HTTPException)
    document = {"type": "about:blank", "title": str(error.detail), "status": error.status_code}
    return JSONResponse(document, error.status_code, error.headers, media_type="application/problem+json")


async def answer_failure(request: Request, failure: Exception) -> JSONResponse:
    """Ours: 503 when it goes away by itself, else 500; nothing was saved either way."""
    request_id, status = getattr(request.state, "request_id", ""), status_of(failure)
    if isinstance(failure, ClientDisconnect):
        log.info("client_left", path=request.url.path)
        title, kind = "The request ended before its body did.", "incomplete"
    elif is_unstorable(failure):
        log.info("request_unstorable", path=request.url.path)
        title, kind = "Leave out the NUL character: nothing could keep it.", "unstorable"
    elif is_transient(failure):
        log.warning("request_waits", path=request.url.path, reason=repr(failure))
        title, kind = "A part of the system is away. Nothing was saved: try again.", "unavailable"
    else:
        log.error("request_failed", path=request.url.path, request_id=request_id, exc_info=failure)
        title, kind = "This did not work on our side. Nothing was saved: try again.", "failure"
    document = {"type": kind, "title": title, "status": status, "reference": request_id}
    headers = {"Retry-After": str(Refusal.retry_after_seconds)} if status == 503 else None
    return JSONResponse(document, status, headers, media_type="application/problem+json")


def status_of(failure: Exception) -> int:
    """What `failure` is answered with."""
    if isinstance(failure, Refusal):
        return failure.status
    if isinstance(failure, HTTPException):
        return failure.status_code
    if isinstance(failure, ClientDisconnect):
        return 400
    if isinstance(failure, RequestValidationError) or is_unstorable(failure):
        return 422
    return 503 if is_transient(failure) else 500
