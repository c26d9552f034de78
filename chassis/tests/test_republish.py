"""Facts that the bus has lost are told again by their teller's own relay, over a real broker."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from chassis import outbox
from chassis.clock import utc_now
from chassis.ids import new_id
from contracts import topics
from contracts.order import OrderHeld, OrderResumed
from probe import Probe, eventually
from stack import Who

OPERATOR = Who("ops", ("operator",))


async def record(probe: Probe, *events: OrderHeld | OrderResumed, topic: str = topics.ORDERS) -> None:
    """In the outbox, as the service would."""
    async with probe.database.transaction() as session:
        for event in events:
            headers = {"ce_source": "order", "ce_actor": "user:wang"}
            key, body = str(event.order_id), event.model_dump_json()
            outbox.forward(session, topic=topic, key=key, type=event.type, headers=headers, body=body)


async def lose(probe: Probe) -> None:
    """The broker acknowledged what is in the outbox, and has it no more."""
    async with probe.database.transaction() as session:
        await session.execute(text("UPDATE outbox SET published_at = now()"))


def held(order_id: UUID) -> OrderHeld:
    return OrderHeld(order_id=order_id, reason="x", by="user:wang")


async def republish(probe: Probe, **body: Any) -> httpx.Response:
    async with probe.api() as api:
        return await api.post("/admin/republish", json=body, headers=OPERATOR.headers)


async def test_lost_facts_of_an_order_are_told_again_in_order_and_before_those_that_wait(probe: Probe) -> None:
    lost, other = new_id(), new_id()
    await record(probe, held(lost), OrderResumed(order_id=lost, by="user:wang"), held(other))
    await lose(probe)
    await record(probe, held(lost))  # not published yet
    answer = await republish(probe, order_id=str(lost))
    assert (answer.status_code, answer.json()) == (202, {"republished": 2})
    await probe.start()
    await eventually(lambda: _has_applied(probe, 3))
    told = [(str(lost), OrderHeld.type), (str(lost), OrderResumed.type), (str(lost), OrderHeld.type)]
    assert probe.applied == told

    assert (await republish(probe, order_id=str(lost))).json() == {"republished": 3}
    await record(probe, held(other))
    await eventually(lambda: _has_applied(probe, 4))  # behind them on the outbox: they have been dropped
    assert probe.applied == [*told, (str(other), OrderHeld.type)]
    records = [each for each in await probe.records(topics.ORDERS) if each.key == str(lost).encode()]
    ids = [dict(each.headers)["ce_id"] for each in records]
    assert ids == ids[:3] * 2


async def test_what_was_recorded_since_a_moment_is_told_again_and_systems_outside_only_by_name(probe: Probe) -> None:
    early, late = new_id(), new_id()
    await record(probe, held(early))
    async with probe.database.transaction() as session:
        await session.execute(text("UPDATE outbox SET recorded_at = now() - interval '2 hours'"))
    await record(probe, held(late))
    await record(probe, held(late), topic=topics.OUTBOUND)
    await record(probe, held(late), topic=topics.dead_letters("order"))
    await lose(probe)
    since = (utc_now() - timedelta(hours=1)).isoformat()
    assert (await republish(probe, since=since)).json() == {"republished": 1}
    await probe.start()
    await eventually(lambda: _has_applied(probe, 1))
    assert probe.applied == [(str(late), OrderHeld.type)]
    named = await republish(probe, since=since, topics=["integration.outbound"])
    assert named.json() == {"republished": 1}
    await eventually(lambda: _has_records(probe, topics.OUTBOUND))
    assert await probe.records(topics.dead_letters("order")) == []


async def test_what_would_tell_too_much_again_is_refused(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "TOLD_AGAIN_MAX", 2)
    await record(probe, *[held(new_id()) for _ in range(3)])
    await lose(probe)
    refused = await republish(probe, since=datetime(2020, 1, 1, tzinfo=UTC).isoformat())
    assert (refused.status_code, refused.json()["type"]) == (409, "too-many-to-tell-again")
    for body in ({}, {"since": "2026-11-23T08:00:00"}, {"since": utc_now().isoformat(), "topics": ["gateway.rebuild"]}):
        assert (await republish(probe, **body)).status_code == 422
    async with probe.database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM outbox WHERE published_at IS NULL")) == 0


async def test_only_operators_and_administrators_republish(probe: Probe) -> None:
    body = {"order_id": str(new_id())}
    async with probe.api() as api:
        assert (await api.post("/admin/republish", json=body)).status_code == 401
        for who in (Who("wang", ("sales",)), Who("sap", ("operator",), "integration")):
            assert (await api.post("/admin/republish", json=body, headers=who.headers)).status_code == 403
        for who in (OPERATOR, Who("admin", ("administrator",))):
            assert (await api.post("/admin/republish", json=body, headers=who.headers)).status_code == 202


async def _has_applied(probe: Probe, number: int) -> bool:
    return len(probe.applied) >= number


async def _has_records(probe: Probe, topic: str) -> bool:
    return bool(await probe.records(topic))
