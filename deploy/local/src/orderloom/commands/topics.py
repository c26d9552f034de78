"""`orderloom topics`: the topics of the catalogue, made on the Kafka of a deployment."""

import argparse
import asyncio
import time

from aiokafka.errors import KafkaError
from rich.console import Console

from chassis.kafka import KafkaSettings
from contracts.topics import PARTITIONS
from orderloom.topics import create_topics

console = Console(soft_wrap=True, highlight=False)

RETRY_SECONDS = 1.0


class BrokerAway(Exception):
    """Nobody answers where the Kafka should be."""


class TopicSettings(KafkaSettings):
    """As the services are told."""

    topic_prefix: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kafka", metavar="HOST:PORT", help="else ORDERLOOM_KAFKA_BOOTSTRAP_SERVERS")
    parser.add_argument("--partitions", type=int, default=PARTITIONS, help="of each topic that is made")
    parser.add_argument("--topic-prefix", help="else ORDERLOOM_TOPIC_PREFIX")
    parser.add_argument("--patience", type=float, default=60.0, metavar="SECONDS", help="to wait for the broker")


def run(arguments: argparse.Namespace) -> int:
    """Topics that are there stay as they are. Raises `BrokerAway`, `TopicRefused`."""
    said = {"kafka_bootstrap_servers": arguments.kafka, "topic_prefix": arguments.topic_prefix}
    settings = TopicSettings(**{name: value for name, value in said.items() if value is not None})
    made = asyncio.run(_create(settings, partitions=arguments.partitions, patience_seconds=arguments.patience))
    console.print(f"Made with {arguments.partitions} partitions: {', '.join(made)}." if made else "All are there.")
    return 0


async def _create(settings: TopicSettings, *, partitions: int, patience_seconds: float) -> list[str]:
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return await create_topics(settings, partitions=partitions, prefix=settings.topic_prefix)
        except (KafkaError, OSError) as reason:
            if time.monotonic() > deadline:
                raise BrokerAway(f"No answer at {settings.kafka_bootstrap_servers}: {reason!r}") from reason
        await asyncio.sleep(RETRY_SECONDS)
