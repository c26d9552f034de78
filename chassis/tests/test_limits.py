"""Everything has a limit, and an answer when it is reached."""

import asyncio

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from chassis.limits import LimitBody, LimitRequests


async def test_more_requests_at_once_than_a_process_may_have_are_told_to_come_again() -> None:
    may_end, in_hand = asyncio.Event(), 0

    async def slow(request: Request) -> PlainTextResponse:
        nonlocal in_hand
        in_hand += 1
        await may_end.wait()
        return PlainTextResponse("done")

    async def fail(request: Request) -> PlainTextResponse:
        raise RuntimeError

    routes = [Route(path, slow) for path in ("/slow", "/readyz")] + [Route("/fail", fail)]
    limited = LimitRequests(Starlette(routes=routes), service="probe", requests_max=2)
    transport = httpx.ASGITransport(limited, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        assert [(await http.get("/fail")).status_code for _ in range(3)] == [500] * 3  # and none of them counts on
        waiting = [asyncio.create_task(http.get("/slow")) for _ in range(2)]
        while in_hand < 2:
            await asyncio.sleep(0)
        refused = await http.get("/slow")
        assert (refused.status_code, refused.json()["type"]) == (503, "too-much-at-once")
        assert refused.headers["retry-after"] == "1"
        probe = asyncio.create_task(http.get("/readyz"))
        while in_hand < 3:
            await asyncio.sleep(0)
        may_end.set()
        answers = await asyncio.gather(*waiting, probe)
        assert [answer.status_code for answer in answers] == [200] * 3
        assert (await http.get("/slow")).status_code == 200


async def test_a_body_without_an_end_is_cut_off() -> None:
    async def read(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    limited = LimitBody(Starlette(routes=[Route("/", read, methods=["POST"])]), bytes_max=1000)
    transport = httpx.ASGITransport(limited, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        assert (await http.post("/", content=b"x" * 1000)).text == "1000"
        declared = await http.post("/", content=b"x" * 1001)
        assert (declared.status_code, declared.json()["type"]) == (413, "body-too-large")
