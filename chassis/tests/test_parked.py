"""What operators see of parked messages and do about them, on messages that a real broker brought."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from chassis import received
from chassis.consumers import Consumers
from chassis.delivery import Delivery
from chassis.ids import new_id
from chassis.inbox import Inbox
from contracts import topics
from contracts.directory import ClientRegistered
from contracts.order import OrderHeld, OrderResumed
from probe import Probe, eventually
from stack import Who

OPERATOR = Who("ops", ("operator",))
ODD_KEY = "SAP/4711?a=b&c %2F ü"


async def park(probe: Probe, *, then_resumed: bool = True) -> str:
    """The key of an order whose first message cannot be applied, with another behind it."""
    order_id = new_id()
    probe.raises[str(order_id)] = [RuntimeError(f"attempt {number}") for number in range(100)]
    await probe.hold(order_id)
    await eventually(lambda: _counts(probe, 1))
    if then_resumed:
        await probe.resume(order_id)
        await eventually(lambda: _counts(probe, 2))
    return str(order_id)


async def _counts(probe: Probe, number: int) -> bool:
    return await probe.count("parked_messages") == number


async def messages(api: httpx.AsyncClient, key: str) -> list[dict[str, Any]]:
    answer = await api.get("/admin/parked/probe/messages", params={"key": key}, headers=OPERATOR.headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def post(api: httpx.AsyncClient, verb: str, **body: Any) -> httpx.Response:
    return await api.post(f"/admin/parked/probe/{verb}", json=body, headers=OPERATOR.headers)


async def test_a_parked_key_is_seen_and_retried_in_a_process_without_a_worker(probe: Probe) -> None:
    await probe.start()
    key = await park(probe)
    async with probe.api() as api:
        listed = (await api.get("/admin/parked", headers=OPERATOR.headers)).json()
        assert listed["next_cursor"] is None
        (shown,) = listed["items"]
        assert (shown["consumer"], shown["key"], shown["waits"], shown["messages"]) == ("probe", key, False, 2)
        assert "attempt 3" in shown["reason"]
        first, second = await messages(api, key)
        assert (first["type"], second["type"]) == (OrderHeld.type, OrderResumed.type)
        assert (first["source"], first["headers"]["ce_actor"]) == ("order", "user:wang")
        assert '"a reason"' in first["body"] and first["body_characters"] == len(first["body"])

        refused = await post(api, "retry", key=key)
        assert (refused.status_code, refused.json()["type"]) == (409, "still-not-applicable")
        assert refused.headers["content-type"] == "application/problem+json"
        assert "message 1 of 2" in refused.json()["title"] and first["event_id"] in refused.json()["title"]
        assert await messages(api, key) == [first, second]
        assert probe.applied == []

        probe.raises[key] = []
        assert (await post(api, "retry", key=key)).json() == {"applied": 2}
        assert probe.applied == [(key, OrderHeld.type), (key, OrderResumed.type)]
        assert (await api.get("/admin/parked", headers=OPERATOR.headers)).json()["items"] == []
        again = await post(api, "retry", key=key)
        assert (again.status_code, again.json()["type"]) == (404, "key-not-parked")
    await probe.resume(UUID(key))
    await eventually(lambda: _has_applied_times(probe, 3))  # and the key flows again


async def test_the_message_to_blame_is_discarded_and_kept_and_what_stands_behind_it_is_applied(probe: Probe) -> None:
    await probe.start()
    key = await park(probe)
    async with probe.api() as api:
        first, _ = await messages(api, key)
        still = await post(api, "discard", key=key, reason="told twice by mistake")  # the other one fails too
        assert (still.status_code, still.json()["type"]) == (409, "still-not-applicable")
        assert len(await messages(api, key)) == 2 and await probe.count("discarded_messages") == 0

        probe.raises[key] = []
        stranger = await post(api, "discard", key=key, reason="x", event_ids=[str(new_id())])
        assert (stranger.status_code, stranger.json()["type"]) == (404, "nothing-to-discard")
        done = await post(api, "discard", key=key, reason="told twice by mistake")
        assert done.json() == {"discarded": 1, "applied": 1}
        assert probe.applied == [(key, OrderResumed.type)]
        (kept,) = (await api.get("/admin/discarded", headers=OPERATOR.headers)).json()["items"]
        assert {name: kept[name] for name in first} == first
        assert (kept["discarded_by"], kept["reason"], kept["key"]) == ("user:ops", "told twice by mistake", key)
        assert "attempt 3" in kept["parked_because"] and kept["discarded_at"] > kept["parked_at"]
    await probe.hold(new_id(), ce_id=first["event_id"].encode())  # its teller tells it again
    await probe.resume(UUID(key))
    await eventually(lambda: _has_applied_times(probe, 2))
    assert OrderHeld.type not in [event_type for _, event_type in probe.applied]


async def test_a_named_message_or_a_whole_key_is_discarded_even_of_a_consumer_that_is_no_more(probe: Probe) -> None:
    await probe.start()
    key = await park(probe)
    async with probe.api() as api:
        _, second = await messages(api, key)
        probe.raises[key] = []
        named = await post(api, "discard", key=key, reason="x", event_ids=[second["event_id"]])
        assert named.json() == {"discarded": 1, "applied": 1}
        assert probe.applied == [(key, OrderHeld.type)]

        other = await park(probe)
        async with probe.database.transaction() as session:
            for table in ("parked_keys", "parked_messages"):
                await session.execute(text(f"UPDATE {table} SET consumer = 'gone'"))
        gone = await api.post("/admin/parked/gone/retry", json={"key": other}, headers=OPERATOR.headers)
        assert (gone.status_code, gone.json()["type"]) == (404, "no-such-consumer")
        body = {"key": other, "reason": "its consumer is gone", "all": True}
        whole = await api.post("/admin/parked/gone/discard", json=body, headers=OPERATOR.headers)
        assert whole.json() == {"discarded": 2, "applied": 0}
        kept = (await api.get("/admin/discarded?consumer=gone", headers=OPERATOR.headers)).json()["items"]
        assert [each["type"] for each in kept] == [OrderResumed.type, OrderHeld.type]
    assert await probe.count("parked_keys") == await probe.count("parked_messages") == 0


async def test_a_key_of_odd_characters_is_found_and_lists_come_in_pages(probe: Probe) -> None:
    broken, client = b'{"not": "the schema"}', {"ce_type": ClientRegistered.type.encode()}
    probe.consumers.on(ClientRegistered)(probe.apply)  # type: ignore[arg-type]
    await probe.start()
    for key in (ODD_KEY, "b", "c"):
        await probe.send(broken, key=key.encode(), topic=topics.DIRECTORY, **client)
    await probe.send(b"[" + b" " * 30_000 + b"]", key=ODD_KEY.encode(), topic=topics.DIRECTORY, **client)
    await eventually(lambda: _counts(probe, 4))
    async with probe.api() as api:
        seen, cursor = [], None
        while True:
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await api.get("/admin/parked", params=params, headers=OPERATOR.headers)).json()
            seen += [each["key"] for each in page["items"]]
            if not (cursor := page["next_cursor"]):
                break
        assert seen == sorted([ODD_KEY, "b", "c"])
        found = await api.get("/admin/parked", params={"key": ODD_KEY}, headers=OPERATOR.headers)
        assert [each["messages"] for each in found.json()["items"]] == [2]
        _, long = await messages(api, ODD_KEY)
        assert (len(long["body"]), long["body_characters"]) == (20_000, 30_002)
        path = f"/admin/parked/probe/messages/{long['event_id']}"
        whole = await api.get(path, params={"key": ODD_KEY}, headers=OPERATOR.headers)
        assert len(whole.json()["body"]) == 30_002
        refused = await post(api, "retry", key=ODD_KEY)
        assert {error["field"] for error in refused.json()["errors"]} >= {"/client_id", "/code"}
        assert (await post(api, "discard", key=ODD_KEY, reason="x", all=True)).json()["discarded"] == 2


async def test_a_fact_older_than_the_memory_of_the_inbox_is_applied_only_when_somebody_says_so(probe: Probe) -> None:
    await probe.start()
    order_id = new_id()
    await probe.hold(order_id, ce_time=b"2020-01-01T00:00:00+00:00")
    await eventually(lambda: _counts(probe, 1))
    async with probe.api() as api:
        refused = await post(api, "retry", key=str(order_id))
        assert refused.status_code == 409 and "longer ago than the inbox remembers" in refused.json()["title"]
        assert (await post(api, "retry", key=str(order_id), however_old=True)).json() == {"applied": 1}
    assert await probe.has_applied(order_id)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/admin/parked", None),
        ("GET", "/admin/parked/probe/messages?key=k", None),
        ("GET", f"/admin/parked/probe/messages/{UUID(int=1)}?key=k", None),
        ("POST", "/admin/parked/probe/retry", {"key": "k"}),
        ("POST", "/admin/parked/probe/discard", {"key": "k", "reason": "x"}),
        ("GET", "/admin/discarded", None),
    ],
)
async def test_only_operators_and_administrators_may(probe: Probe, method: str, path: str, body: Any) -> None:
    async with probe.api() as api:
        assert (await api.request(method, path, json=body)).status_code == 401
        for who in (
            Who("wang", ("sales",)),
            Who("li", ("general_manager",)),
            Who("sap", ("operator",), "integration"),
            Who("lin", ("operator",), "client", new_id()),
        ):
            assert (await api.request(method, path, json=body, headers=who.headers)).status_code == 403, who
        for who in (OPERATOR, Who("admin", ("administrator",))):
            assert (await api.request(method, path, json=body, headers=who.headers)).status_code in (200, 404), who


async def _has_applied_times(probe: Probe, number: int) -> bool:
    return len(probe.applied) == number


async def test_a_key_is_not_parked_for_a_message_that_another_worker_has_applied_meanwhile(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_aside = Inbox._put_aside

    async def too_late(inbox: Inbox, consumer: Consumers, group: list[Delivery], reason: Exception) -> bool:
        async with probe.database.transaction() as session:  # as the worker does to which the partition went
            await received.enter(session, {consumer.name: group[:1]}, received.Read())
        return await put_aside(inbox, consumer, group, reason)

    monkeypatch.setattr(Inbox, "_put_aside", too_late)
    order_id = new_id()
    probe.raises[str(order_id)] = [RuntimeError(f"attempt {number}") for number in range(4)]
    await probe.hold(order_id)
    await probe.resume(order_id)
    await probe.start()
    await eventually(lambda: probe.has_applied(order_id, OrderResumed.type))
    assert await probe.count("parked_keys") == await probe.count("parked_messages") == 0
    assert await probe.count("outbox") == 0  # no dead letter
