"""The facts of one order that is placed and approved, as a stack told them: what the bus is measured with.

Recorded from the five outboxes, in the order of the thread, so that every run moves the same bytes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from chassis.clock import utc_now
from chassis.ids import new_id

FILE = Path(__file__).parent / "facts_of_an_order.jsonl"


@dataclass(frozen=True)
class Fact:
    """As it stands in an outbox; `key` is the id of an order that nobody else has."""

    topic: str
    key: str
    type: str
    event_id: str
    headers: dict[str, str]
    body: str

    def wire_headers(self) -> list[tuple[str, bytes]]:
        """As the relay sends them."""
        told = self.headers | {"ce_time": utc_now().isoformat()}
        return [(name, value.encode()) for name, value in told.items()]


def some(count: int) -> list[Fact]:
    """`count` facts of as many orders as that takes, order after order."""
    return list(islice(without_end(), count))


def without_end() -> Iterator[Fact]:
    """Order after order, each with an id of its own."""
    recorded = [json.loads(line) for line in FILE.read_text().splitlines()]
    recorded_id = recorded[0]["key"]
    while True:
        order_id = str(new_id())
        for each in recorded:
            event_id = str(new_id())
            yield Fact(
                topic=each["topic"],
                key=order_id,
                type=each["type"],
                event_id=event_id,
                headers=each["headers"] | {"ce_id": event_id},
                body=each["body"].replace(recorded_id, order_id),
            )
