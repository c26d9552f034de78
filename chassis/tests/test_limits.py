"""Everything has a limit, and an answer when it is reached."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from chassis.limits import HEAD_BYTES_MAX, LimitBody, LimitHead, LimitRequests


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


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def _connection() -> AsyncIterator[Connection]:
    """To a real server that answers a request with the length of its body."""

    async def read(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    app = Starlette(routes=[Route("/", read, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, http=LimitHead, port=0, log_level="critical"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    yield reader, writer
    writer.close()
    server.should_exit = True
    await serving


async def _status(connection: Connection, *parts: bytes) -> bytes:
    """Of the answer to what is sent in so many parts, each read before the next."""
    reader, writer = connection
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.01)
    return (await asyncio.wait_for(reader.readline(), 5)).split()[1]


HEAD = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\nX-Long: "
FILLED = HEAD + b"x" * (HEAD_BYTES_MAX - len(HEAD))


async def test_a_head_up_to_the_limit_is_read_in_one_piece_or_in_many() -> None:
    short = HEAD + b"x" * 50_000 + b"\r\n\r\n"
    async with _connection() as connection:
        assert await _status(connection, short) == b"200"
    async with _connection() as connection:
        assert await _status(connection, *(short[at : at + 5000] for at in range(0, len(short), 5000))) == b"200"


async def test_a_head_over_the_limit_is_refused_and_the_connection_ends() -> None:
    async with _connection() as (reader, writer):
        assert await _status((reader, writer), FILLED + b"x" * 100 + b"\r\n\r\n") == b"400"
        await asyncio.wait_for(reader.read(), 5)  # until the end


async def test_a_head_without_an_end_is_cut_off() -> None:
    async with _connection() as (reader, writer):
        assert await _status((reader, writer), HEAD, *[b"x" * 9000] * 8) == b"400"
        await asyncio.wait_for(reader.read(), 5)


async def test_many_short_header_lines_are_too_long_a_head_as_well() -> None:
    async with _connection() as connection:
        assert await _status(connection, HEAD + b"1", *[b"\r\nX-More: 1" * 1000] * 7) == b"400"


async def test_a_head_that_begins_behind_a_large_body_is_not_taken_for_a_long_one() -> None:
    body = b"y" * 200_000
    first = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 200000\r\n\r\n" + body
    async with _connection() as (reader, writer):
        assert await _status((reader, writer), first + HEAD, b"x", b"\r\n\r\n") == b"200"
        rest = await asyncio.wait_for(reader.readuntil(b"200000"), 5)
        assert rest and await _status((reader, writer)) == b"200"
