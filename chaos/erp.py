"""An ERP on the bus: asks for orders, now and then twice, again until it is answered; and counts the answers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Self
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis.kafka import KafkaSettings
from contracts import topics

AGAIN_SECONDS = 10.0
"""Not answered for so long: sent again. The embedded broker may have forgotten it."""
POLL_SECONDS = 0.1


class NotAccepted(Exception):
    """The platform answered a good order with a refusal."""


class Erp:
    """`answers` holds, by request, the distinct answers (by event id) that were seen."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.source = f"erp-{uuid4()}"
        self.answers: dict[str, dict[str, tuple[str, Any]]] = {}
        self.waiting: set[str] = set()
        """Requests that are not answered yet."""
        self.troubles: list[str] = []
        self._kafka = kafka
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        listening = asyncio.create_task(self._listen())
        self._running.push_async_callback(_end, listening)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    async def place(self, body: dict[str, Any], *, times: int) -> str:
        """Ask `times` times under one id, until there is an answer; return the order's id. Raise NotAccepted."""
        request_id, value = str(uuid4()), json.dumps(body).encode()
        self.waiting.add(request_id)
        while True:
            await self._send(request_id, value, key=body["external_id"], times=times)
            deadline = time.monotonic() + AGAIN_SECONDS
            while time.monotonic() < deadline:
                for kind, answer in self.answers.get(request_id, {}).values():
                    if kind != "erp.order.accepted.v1":
                        raise NotAccepted(f"{kind}: {answer}")
                    self.waiting.discard(request_id)
                    return str(answer["order_id"])
                await asyncio.sleep(POLL_SECONDS)

    @property
    def answered_twice(self) -> list[str]:
        return [request_id for request_id, answers in self.answers.items() if len(answers) > 1]

    async def _send(self, request_id: str, value: bytes, *, key: str, times: int) -> None:
        headers = {
            "ce_specversion": "1.0",
            "ce_id": request_id,
            "ce_source": self.source,
            "ce_type": "erp.order.requested.v1",
            "content-type": "application/json",
        }
        with suppress(KafkaError, TimeoutError):  # the broker is away: again later
            async with asyncio.timeout(AGAIN_SECONDS), self._producer() as producer:
                for _ in range(times):
                    await producer.send_and_wait(
                        topics.INBOUND,
                        value,
                        key=key.encode(),
                        headers=[(name, text.encode()) for name, text in headers.items()],
                    )

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(**self._kafka.client_options, acks="all")
        try:
            await producer.start()
            yield producer
        finally:
            await producer.stop()

    async def _listen(self) -> None:
        """From the beginning again after each failure: an answer is known by its id."""
        while True:
            consumer = AIOKafkaConsumer(
                topics.OUTBOUND, auto_offset_reset="earliest", fetch_max_wait_ms=50, **self._kafka.client_options
            )
            try:
                async with asyncio.timeout(3 * AGAIN_SECONDS):  # a client may wait for a killed broker for ever
                    await consumer.start()
                    await self._read(consumer)
            except Exception as reason:  # what a client meets while the broker dies; an ERP would go on as well
                self.troubles.append(repr(reason))
                await asyncio.sleep(POLL_SECONDS)
            finally:
                await asyncio.wait([asyncio.ensure_future(consumer.stop())], timeout=POLL_SECONDS)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        until = time.monotonic() + AGAIN_SECONDS  # a broker that forgot has other offsets: begin anew now and then
        while time.monotonic() < until:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for record in batch:
                    headers = {name: value.decode() for name, value in record.headers}
                    if headers["ce_recipient"] == self.source and headers["ce_type"] != "erp.order.progressed.v1":
                        answers = self.answers.setdefault(headers["ce_causationid"], {})
                        answers[headers["ce_id"]] = (headers["ce_type"], json.loads(record.value))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
