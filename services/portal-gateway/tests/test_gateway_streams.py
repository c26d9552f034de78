"""Open pages are told which orders changed: each only what it may see, none twice, and none is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from gateway_world import CLIENT, DIRECTORY, ORDER, SALES, STRANGER, UNTIL_PLANNED, WORK
from starlette.requests import ClientDisconnect
from starlette.types import Message

from chassis.ids import new_id
from chassis.principal import Principal
from portal.consumers import view
from portal.streams import EVERYTHING, IDS_MAX, STREAMS_OF_ONE_MAX, Changed, Listener, Streams, TooManyStreams
from stack import Running, Who

PATIENCE_SECONDS = 5.0


def principal(who: Who) -> Principal:
    return Principal(user_id=who.user_id, kind=who.kind, roles=frozenset(who.roles), client_id=who.client_id)


@pytest.fixture
async def streams(gateway: Running) -> AsyncIterator[Streams]:
    yield Streams(gateway.database, consumer=view.name, streams_max=50)


async def told(listener: Listener) -> Any:
    async with asyncio.timeout(PATIENCE_SECONDS):
        await listener.woken.wait()
    return listener.take()


async def test_a_page_is_told_of_a_change_within_a_second_and_once(gateway: Running, streams: Streams) -> None:
    with streams.listening(principal(SALES), None, has_missed=False) as listener:
        await gateway.hear(*DIRECTORY, *UNTIL_PLANNED)
        async with asyncio.timeout(1.0):
            await listener.woken.wait()
        assert listener.take() == [str(ORDER)]
        await asyncio.sleep(0.5)
        assert not listener.pending
        await gateway.hear(*WORK)
        assert await told(listener) == [str(ORDER)]


async def test_a_client_hears_of_no_other_companys_order(gateway: Running, streams: Streams) -> None:
    with (
        streams.listening(principal(CLIENT), None, has_missed=False) as own,
        streams.listening(principal(STRANGER), None, has_missed=False) as strangers,
        streams.listening(principal(SALES), new_id(), has_missed=False) as about_another,
    ):
        await gateway.hear(*DIRECTORY, *UNTIL_PLANNED)
        assert await told(own) == [str(ORDER)]
        assert not strangers.pending
        assert not about_another.pending


async def test_a_page_that_opens_just_after_a_change_is_told_of_it(gateway: Running, streams: Streams) -> None:
    with streams.listening(principal(SALES), None, has_missed=False) as first:
        await gateway.hear(*DIRECTORY, *UNTIL_PLANNED)
        await told(first)
        with streams.listening(principal(SALES), None, has_missed=False) as later:
            assert await told(later) == [str(ORDER)]


async def test_a_stream_that_was_broken_for_long_is_told_that_everything_may_have_changed(streams: Streams) -> None:
    with streams.listening(principal(SALES), None, has_missed=True) as listener:
        assert await told(listener) == [EVERYTHING]


def test_a_slow_reader_costs_no_more_than_so_many_ids() -> None:
    listener = Listener(principal(SALES), None)
    for _ in range(IDS_MAX + 50):
        listener.hear(Changed(new_id(), new_id()))
    assert listener.take() == [EVERYTHING]
    assert not listener.pending


async def test_one_person_and_one_process_have_so_many_streams(gateway: Running) -> None:
    streams = Streams(gateway.database, consumer=view.name, streams_max=STREAMS_OF_ONE_MAX + 1)
    opened = [streams.listening(principal(SALES), None, has_missed=False) for _ in range(STREAMS_OF_ONE_MAX)]
    for each in opened:
        each.__enter__()
    with pytest.raises(TooManyStreams), streams.listening(principal(SALES), None, has_missed=False):
        pass
    with (
        streams.listening(principal(CLIENT), None, has_missed=False),
        pytest.raises(TooManyStreams),
        streams.listening(principal(STRANGER), None, has_missed=False),
    ):
        pass
    for each in opened:
        each.__exit__(None, None, None)
    with streams.listening(principal(SALES), None, has_missed=False):
        pass


async def test_a_stream_ends_with_the_session_and_is_not_begun_again(gateway: Running) -> None:
    assert (await gateway.get("/events")).status_code == 204
    gateway.api.state.is_stopping = True
    answer = await gateway.get("/events", SALES)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert answer.text.startswith("retry: ")


@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
async def test_whoever_leaves_before_the_stream_begins_leaves_nothing_behind(
    gateway_read_only: Running, spec_version: str
) -> None:
    """Two ways in which servers say that nobody is there any more."""
    streams: Streams = gateway_read_only.api.state.streams
    headers = [(b"authorization", SALES.headers["Authorization"].encode())]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": spec_version},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/events",
        "raw_path": b"/events",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }
    heard = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        return next(heard, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        if spec_version == "2.4":
            raise OSError("gone")

    with suppress(OSError, ClientDisconnect):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await gateway_read_only.api(scope, receive, send)
    assert not streams._listeners
    assert not streams._by_person
