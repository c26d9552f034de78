"""The topics of the bus: what each is for, how it is kept, who writes and who reads it.

Brokers, access lists and documents are made from this catalogue and from nothing else.
"""

from dataclasses import dataclass

SERVICES = ("order", "project", "finance", "notify", "gateway")
"""The names of the five on the bus, in consumer groups and in addresses."""

READ_MODELS = ("gateway",)
"""Those that keep what others tell in a form of their own, all of which can be made again from the threads."""
OURS = (*SERVICES, "orderloom")
"""Names that facts and orders made here bear as their source: no system outside may use one."""

MESSAGE_BYTES_MAX = 4 * 1024 * 1024
"""`max.message.bytes` of every topic. Kafka applies it to a produced batch, not to one message."""

BODY_BYTES_MAX = MESSAGE_BYTES_MAX - 64 * 1024
"""Room for headers and key beside it. A larger body is refused before it can block the relay."""

PARTITIONS = 24
"""From the start, because more of them later would move keys."""

PARTITIONS_EMBEDDED = 6
"""On the embedded broker of a single machine."""

RETENTION_DAYS = 14

ORDERS = "orders"
DIRECTORY = "directory"
INBOUND = "integration.inbound"
OUTBOUND = "integration.outbound"

ERP = "erp"
"""Stands for every system outside the platform in `writers` and `readers`."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic, as it is called before a deployment's prefix."""

    name: str
    purpose: str
    key: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    is_compacted: bool = False
    """The newest fact of a key is kept for ever, the others for the retention time."""

    @property
    def kafka_settings(self) -> dict[str, str | int]:
        """By Kafka's own names."""
        retention_ms = RETENTION_DAYS * 24 * 60 * 60 * 1000
        if self.is_compacted:
            kept: dict[str, str | int] = {"cleanup.policy": "compact", "min.compaction.lag.ms": retention_ms}
        else:
            kept = {"cleanup.policy": "delete", "retention.ms": retention_ms}
        return kept | {"max.message.bytes": MESSAGE_BYTES_MAX}


def dead_letters(service: str) -> str:
    """Where `service` puts what it could not apply."""
    return f"{service}.dead-letter"


def rebuild(service: str) -> str:
    """Where the archive tells `service` again what its read model is made of."""
    return f"{service}.rebuild"


CATALOGUE: tuple[Topic, ...] = (
    Topic(
        name=ORDERS,
        purpose="Every fact about an order, told by any service: the records of one key are the order's thread.",
        key="order_id",
        writers=SERVICES,
        readers=SERVICES,
    ),
    Topic(
        name=DIRECTORY,
        purpose="Facts that are not about one order: clients, order types, users. Each carries its whole state.",
        key="the id of what it is about",
        writers=("order", "gateway"),
        readers=("project", "notify", "gateway"),
        is_compacted=True,
    ),
    Topic(
        name=INBOUND,
        purpose="What ERP, WMS and other systems ask for.",
        key="chosen by the sender; the external id is advised",
        writers=(ERP,),
        readers=("order",),
    ),
    Topic(
        name=OUTBOUND,
        purpose="One answer to every request of a system, then the progress of its orders.",
        key="the key of the request",
        writers=("order",),
        readers=(ERP,),
    ),
    *(
        Topic(
            name=rebuild(service),
            purpose=f"Threads from the archive, entry by entry, for {service} to make its read model again from.",
            key="order_id",
            writers=("order",),
            readers=(service,),
        )
        for service in READ_MODELS
    ),
    *(
        Topic(
            name=dead_letters(service),
            purpose=f"What {service} could not apply, with the reason.",
            key="the key of the record",
            writers=(service,),
            readers=("operators",),
        )
        for service in SERVICES
    ),
)
