"""An ERP with a plain Kafka client: good, repeated and malformed messages, each answered once."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts import topics
from journeys import an_order, approved, eventually, life
from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway
from whole_stack import WholeStack

pytestmark = pytest.mark.xdist_group("e2e")


class Erp:
    """Knows nothing of Orderloom but its topics."""

    def __init__(self, bootstrap_servers: str) -> None:
        self.source = f"erp-{uuid4()}"
        self._servers = bootstrap_servers

    async def send(self, *messages: tuple[str, bytes]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._servers) as producer:
            for request_id, body in messages:
                headers = [
                    ("ce_specversion", b"1.0"),
                    ("ce_id", request_id.encode()),
                    ("ce_source", self.source.encode()),
                    ("ce_type", b"erp.order.requested.v1"),
                    ("content-type", b"application/json"),
                ]
                await producer.send_and_wait(topics.INBOUND, body, key=b"one key", headers=headers)

    async def told(self) -> list[tuple[str, str, Any]]:
        """Everything on the outbound topic for this system: causing request, type, body."""
        consumer = AIOKafkaConsumer(topics.OUTBOUND, bootstrap_servers=self._servers, auto_offset_reset="earliest")
        found = []
        async with consumer:
            idle = 0
            while idle < 3:
                batches = (await consumer.getmany(timeout_ms=300)).values()
                idle = 0 if batches else idle + 1
                for record in (record for batch in batches for record in batch):
                    headers = {name: value.decode() for name, value in record.headers}
                    if headers.get("ce_recipient") == self.source:
                        found.append((headers["ce_causationid"], headers["ce_type"], json.loads(record.value)))
        return found


async def test_every_message_is_answered_once_and_a_good_order_goes_all_the_way(
    whole_stack: WholeStack, gateway: Gateway, cast: Cast
) -> None:
    erp = Erp(whole_stack.addresses["kafka"])
    order = json.dumps(an_order()).encode()
    wrong = json.dumps(an_order(currency="XXX")).encode()
    await erp.send(("a", order), ("b", wrong), ("a", order), ("c", b"\xff not json"), ("d", order), ("a", order))

    async def four_answers() -> list[tuple[str, str, Any]]:
        told = await erp.told()
        return told if len(told) >= 4 else []

    await eventually(four_answers)
    await asyncio.sleep(1)
    answers = {request_id: (kind, body) for request_id, kind, body in await erp.told()}
    assert len(await erp.told()) == 4
    assert {request_id: kind for request_id, (kind, _) in answers.items()} == {
        "a": "erp.order.accepted.v1",
        "b": "erp.order.rejected.v1",
        "c": "erp.order.rejected.v1",
        "d": "erp.order.accepted.v1",
    }
    assert answers["a"][1] == answers["d"][1]
    assert [error["field"] for error in answers["b"][1]["errors"]] == ["/currency"]

    order_id = answers["a"][1]["order_id"]
    await approved(gateway, cast, order_id)
    await life(gateway, cast, order_id).play(lambda step: None)

    async def closed() -> list[str]:
        steps = [body["event_type"] for _, kind, body in await erp.told() if kind == "erp.order.progressed.v1"]
        return steps if "order.closed.v1" in steps else []

    steps = await eventually(closed)
    assert steps[0] == "order.approved.v1"
    assert {"order.stage_advanced.v1", "invoice.issued.v1", "receipt.recorded.v1", "delivery.accepted.v1"} < set(steps)
    assert steps.count("invoice.issued.v1") == steps.count("receipt.recorded.v1") >= 2
