"""Two requests answered by FastAPI and nothing else: `python -m bench.floor_http PORT ANSWERS`."""

import json
import sys
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Response

from contracts.order_body import HttpOrderBody


def application(answers: dict[str, str]) -> FastAPI:
    """Bodies are checked by pydantic; the answers are always the same bytes."""
    app = FastAPI(openapi_url=None)
    placed, approved = answers["place"].encode(), answers["approve"].encode()

    @app.post("/orders")
    async def place(body: HttpOrderBody) -> Response:
        return Response(placed, status_code=201, media_type="application/json")

    @app.post("/orders/{order_id}/approval")
    async def approve(order_id: str, body: dict[str, Any]) -> Response:
        return Response(approved, media_type="application/json")

    return app


if __name__ == "__main__":
    answered = json.loads(Path(sys.argv[2]).read_text())
    uvicorn.run(application(answered), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
