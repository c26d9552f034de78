"""The services' APIs under one address, and one document of all."""

import time
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from chassis import telemetry
from portal.api_document import KeptDocument
from portal.forwarding import Services, passed_back, read_and_close

services = APIRouter(include_in_schema=False)

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@services.api_route("/api/{service}/{path:path}", methods=METHODS)
async def forward(service: str, path: str, request: Request) -> Response:
    """To a service and back. Nothing is decided here, and no connection to the database is held."""
    behind: Services = request.app.state.services
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    started = time.perf_counter()
    with telemetry.span(f"{request.method} /api/{service}", caused_by=request.headers, service="gateway"):
        answer = await behind.forward(
            service,
            path,
            method=request.method,
            query=request.url.query,
            headers=request.headers,
            body=request.stream() if has_body else None,
        )
    labels = ("gateway", request.method, f"/api/{service}")
    telemetry.REQUEST_SECONDS.labels(*labels).observe(time.perf_counter() - started)
    telemetry.REQUESTS.labels(*labels, answer.status_code).inc()
    return StreamingResponse(read_and_close(answer), answer.status_code, passed_back(answer))


@services.get("/openapi.json")
async def get_document(request: Request) -> dict[str, Any]:
    """Of the gateway's own endpoints and all services'."""
    return await document_of_all(request)


async def document_of_all(request: Request) -> dict[str, Any]:
    """Nearly always from memory."""
    kept: KeptDocument = request.app.state.document
    behind: Services = request.app.state.services
    return await kept.get(request.app.openapi(), behind.documents)
