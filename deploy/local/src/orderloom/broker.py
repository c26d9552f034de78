"""Which broker a stack uses: the embedded one, an Apache Kafka of its own, or one that runs elsewhere."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from chassis.kafka import KafkaSettings
from contracts.topics import PARTITIONS, PARTITIONS_EMBEDDED


@dataclass(frozen=True)
class Broker:
    """The choice, kept in the data folder from the first start on."""

    kind: Literal["embedded", "apache", "elsewhere"] = "embedded"
    address: str = ""
    """HOST:PORT of one that runs elsewhere. How it is spoken to, the environment of `orderloom up` says."""
    topic_prefix: str = ""
    """Before every topic and consumer group, so that several stacks can share one broker."""
    knows_all: bool = False
    """It was told the outboxes since it was chosen. Until then its consumers may lack what another one was told."""

    @property
    def is_ours(self) -> bool:
        """The stack starts and stops it."""
        return self.kind != "elsewhere"

    @property
    def forgets(self) -> bool:
        """What it held is gone when its process ends."""
        return self.kind == "embedded"

    @property
    def partitions(self) -> int:
        """Of each topic, when it is made."""
        return PARTITIONS_EMBEDDED if self.kind == "embedded" else PARTITIONS

    @property
    def client_settings(self) -> Mapping[str, str]:
        """What its clients are told beside its address, as settings of the services; ours is spoken to in the clear."""
        told = {"topic_prefix": self.topic_prefix}
        if self.is_ours:
            told["kafka_security_protocol"] = "PLAINTEXT"
        if self.kind == "embedded":
            return told | {"kafka_idempotent_producer": "false", "fetch_max_wait_ms": "25"}
        return told | {"kafka_idempotent_producer": "true", "fetch_max_wait_ms": "500"}

    def reached_at(self, bootstrap_servers: str) -> KafkaSettings:
        """How our own tools reach it."""
        if self.is_ours:
            return KafkaSettings(kafka_bootstrap_servers=bootstrap_servers, kafka_security_protocol="PLAINTEXT")
        return KafkaSettings(kafka_bootstrap_servers=bootstrap_servers)

    def save(self, file: Path) -> None:
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self), indent=2))
        fresh.replace(file)


def settle(file: Path, wanted: Broker | None) -> Broker:
    """Return the wanted broker, else the one kept in `file`, else the embedded one, and keep it."""
    kept = load(file)
    is_another = wanted is not None and replace(wanted, knows_all=kept.knows_all) != kept
    settled = wanted if wanted and is_another else kept
    settled.save(file)
    return settled


def load(file: Path) -> Broker:
    return Broker(**json.loads(file.read_text())) if file.exists() else Broker()
