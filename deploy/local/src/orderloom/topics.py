"""The topics of the catalogue, made on a broker."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.kafka import KafkaSettings
from contracts.topics import CATALOGUE

TOPIC_ALREADY_EXISTS = 36
REPLICAS_MAX = 3


class TopicRefused(Exception):
    """The broker did not create a topic."""


async def create_topics(kafka: KafkaSettings, *, partitions: int, prefix: str = "") -> list[str]:
    """Create the catalogue's topics which are missing, their names with `prefix` before them; return those made.

    Each partition is kept on three brokers, or on all where there are fewer. A topic that is there keeps its
    partitions. Raise TopicRefused, and what aiokafka raises where nobody answers.
    """
    admin = AIOKafkaAdminClient(**kafka.client_options)
    await admin.start()
    try:
        replicas = min(len((await admin.describe_cluster())["brokers"]), REPLICAS_MAX)
        wanted = [
            NewTopic(
                prefix + topic.name,
                partitions,
                replicas,
                topic_configs={name: str(value) for name, value in topic.kafka_settings.items()},
            )
            for topic in CATALOGUE
        ]
        answer = await admin.create_topics(wanted)
    finally:
        await admin.close()
    made = []
    for name, code, *message in answer.topic_errors:
        if code not in (0, TOPIC_ALREADY_EXISTS):
            raise TopicRefused(f"{name}: error {code} {message}")
        made += [name] if code == 0 else []
    return made
