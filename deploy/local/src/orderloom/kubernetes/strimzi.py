"""The catalogue's topics, and who may do what on them, as resources of Strimzi."""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any

from contracts import acls
from contracts.acls import Grant
from contracts.topics import CATALOGUE, ERP, PARTITIONS, SERVICES

Resource = dict[str, Any]
"""One document of a manifest."""

KAFKA = "kafka"
"""The name of the cluster."""
API = "kafka.strimzi.io/v1"
REPLICAS, IN_SYNC_MIN = 3, 2


def topics() -> list[Resource]:
    """One KafkaTopic a topic. What is acknowledged is on two brokers at least."""
    return [
        _resource(
            "KafkaTopic",
            topic.name,
            {
                "partitions": PARTITIONS,
                "replicas": REPLICAS,
                "config": topic.kafka_settings | {"min.insync.replicas": IN_SYNC_MIN},
            },
        )
        for topic in CATALOGUE
    ]


def users(systems: Iterable[str] = (ERP,)) -> list[Resource]:
    """One KafkaUser a principal: the services, `systems` for those outside, and the operators."""
    grants = sorted(acls.grants(systems=systems), key=attrgetter("principal"))
    return [
        _resource(
            "KafkaUser",
            principal,
            {
                "authentication": {"type": "scram-sha-512"},
                "authorization": {"type": "simple", "acls": [rule for grant in theirs for rule in _rules(grant)]},
            },
        )
        for principal, theirs in groupby(grants, key=attrgetter("principal"))
    ]


def secret_of(service: str) -> str:
    """Where Strimzi keeps the password of `service` on the bus, under the key `password`."""
    assert service in SERVICES
    return f"kafka-user-{service}"


def _rules(grant: Grant) -> list[Resource]:
    pattern = "prefix" if grant.is_prefix else "literal"
    named = [("topic", name) for name in grant.topics] + [("group", name) for name in grant.groups]
    resources: list[Resource] = [{"type": kind, "name": name, "patternType": pattern} for kind, name in named]
    resources += [{"type": "cluster"}] if grant.is_of_cluster else []
    return [{"resource": resource, "operations": list(grant.operations)} for resource in resources]


def _resource(kind: str, name: str, spec: Resource) -> Resource:
    metadata = {"name": name, "labels": {"strimzi.io/cluster": KAFKA}}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}
