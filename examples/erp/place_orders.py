"""Places the orders of a file over Kafka, prints the answer to each, and follows their progress for a while.

It stands alone: aiokafka is all that it needs.
"""

import argparse
import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

INBOUND, OUTBOUND = "integration.inbound", "integration.outbound"


async def main() -> int:
    arguments = _arguments()
    lines = [line for line in arguments.orders.read_bytes().split(b"\n") if line.strip()]
    consumer = AIOKafkaConsumer(OUTBOUND, bootstrap_servers=arguments.kafka, auto_offset_reset="earliest")
    producer = AIOKafkaProducer(bootstrap_servers=arguments.kafka, acks="all")
    async with consumer, producer:
        asked = {
            await _ask(producer, line, source=arguments.source): number for number, line in enumerate(lines, start=1)
        }
        answered = await _read_answers(consumer, asked, source=arguments.source, seconds=arguments.seconds)
        await _follow(consumer, source=arguments.source, seconds=arguments.follow)
    print(f"{answered} of {len(asked)} answered")
    return 0 if answered == len(asked) else 1


async def _ask(producer: AIOKafkaProducer, body: bytes, *, source: str) -> str:
    """Send one request; return its id."""
    request_id = str(uuid.uuid4())
    headers = {
        "ce_specversion": "1.0",
        "ce_id": request_id,
        "ce_source": source,
        "ce_type": "erp.order.requested.v1",
        "content-type": "application/json",
    }
    pairs = [(name, value.encode()) for name, value in headers.items()]
    await producer.send_and_wait(INBOUND, body, key=_key_of(body, request_id), headers=pairs)
    return request_id


def _key_of(body: bytes, request_id: str) -> bytes:
    """The external id, so that messages about one order keep their order."""
    try:
        return str(json.loads(body)["external_id"]).encode()
    except (ValueError, KeyError, TypeError):
        return request_id.encode()


async def _read_answers(consumer: AIOKafkaConsumer, asked: dict[str, int], *, source: str, seconds: float) -> int:
    """Print the answer to every request, or stop after so many seconds; return how many came."""
    answered: set[str] = set()
    try:
        async with asyncio.timeout(seconds):
            while len(answered) < len(asked):
                record = await anext(consumer)
                request_id = _header(record, "ce_causationid")
                is_answer = _header(record, "ce_type") in ("erp.order.accepted.v1", "erp.order.rejected.v1")
                if is_answer and _header(record, "ce_recipient") == source and request_id in asked.keys() - answered:
                    answered.add(request_id)
                    _print_answer(asked[request_id], json.loads(record.value))
    except TimeoutError:
        print("Some requests were not answered in time: is the stack running?")
    return len(answered)


def _print_answer(number: int, answer: dict[str, Any]) -> None:
    if "order_no" in answer:
        print(f"{number:4}  accepted  {answer['external_id']} is {answer['order_no']}")
        return
    for error in answer["errors"]:
        print(f"{number:4}  rejected  {error['field'] or 'the message'}: {error['reason']}")


async def _follow(consumer: AIOKafkaConsumer, *, source: str, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            async for record in consumer:
                if _header(record, "ce_recipient") == source and "progressed" in _header(record, "ce_type"):
                    step = json.loads(record.value)
                    print(f"      {step['order_no']}  {step['event_type']}: {step['status']}, {step['stage']}")
    except TimeoutError:
        return


def _header(record: ConsumerRecord, name: str) -> str:
    return dict(record.headers).get(name, b"").decode("utf-8", "replace")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("orders", type=Path, help="one order a line, in JSON")
    parser.add_argument("--kafka", required=True, metavar="HOST:PORT")
    parser.add_argument("--source", default="erp.example", help="what this system is called")
    parser.add_argument("--seconds", type=float, default=30, help="how long to wait for the answers")
    parser.add_argument("--follow", type=float, default=0, help="for how many seconds to follow the progress")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
