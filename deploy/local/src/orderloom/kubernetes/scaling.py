"""How many processes each service has: APIs by what they compute, workers by what they have not read yet."""

from typing import Any

from contracts.topics import CATALOGUE, PARTITIONS, SERVICES
from orderloom.kubernetes.strimzi import KAFKA, Resource, secret_of

APIS_MIN, APIS_MAX = 2, 6
BUSY_CORES = "600m"
"""A process computes on one core at most."""
WORKERS_MIN, WORKERS_MAX = 2, PARTITIONS
"""A worker without a partition would have nothing to read."""
LAG_A_WORKER = 500
BOOTSTRAP = f"{KAFKA}-kafka-bootstrap:9093"
NAMES = "kafka-users"
"""KEDA takes a user's name from a resource, and from nowhere else."""
STEADY_SECONDS = 300
"""Fewer processes only after so long: each that goes makes the others share anew."""


def resources() -> list[Resource]:
    """A HorizontalPodAutoscaler for the API and a ScaledObject for the worker of each service."""
    names = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAMES},
        "data": {name: name for name in SERVICES},
    }
    made = [(_of_api(service), _sign_in(service), _of_worker(service)) for service in SERVICES]
    return [names, *(resource for of_service in made for resource in of_service)]


def _of_api(service: str) -> Resource:
    busy = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": BUSY_CORES}},
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": f"{service}-api"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"{service}-api"},
            "minReplicas": APIS_MIN,
            "maxReplicas": APIS_MAX,
            "metrics": [busy],
            "behavior": _steady(),
        },
    }


def _of_worker(service: str) -> Resource:
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": f"{service}-worker"},
        "spec": {
            "scaleTargetRef": {"name": f"{service}-worker"},
            "minReplicaCount": WORKERS_MIN,
            "maxReplicaCount": WORKERS_MAX,
            "pollingInterval": 15,
            "fallback": {"failureThreshold": 4, "replicas": WORKERS_MIN},
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _steady()}},
            "triggers": [_lag(service, topic.name) for topic in CATALOGUE if service in topic.readers],
        },
    }


def _lag(service: str, topic: str) -> Resource:
    return {
        "type": "kafka",
        "metadata": {
            "bootstrapServers": BOOTSTRAP,
            "consumerGroup": service,
            "topic": topic,
            "lagThreshold": str(LAG_A_WORKER),
            "offsetResetPolicy": "earliest",
            "limitToPartitionsWithLag": "true",
            "excludePersistentLag": "true",
            "sasl": "scram_sha512",
            "tls": "enable",
        },
        "authenticationRef": {"name": f"{service}-on-the-bus"},
    }


def _sign_in(service: str) -> Resource:
    """The lag of a group is asked for in the name of its own service: nobody else may see it."""
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "TriggerAuthentication",
        "metadata": {"name": f"{service}-on-the-bus"},
        "spec": {
            "configMapTargetRef": [{"parameter": "username", "name": NAMES, "key": service}],
            "secretTargetRef": [
                {"parameter": "password", "name": secret_of(service), "key": "password"},
                {"parameter": "ca", "name": f"{KAFKA}-cluster-ca-cert", "key": "ca.crt"},
            ],
        },
    }


def _steady() -> dict[str, Any]:
    return {"scaleDown": {"stabilizationWindowSeconds": STEADY_SECONDS}}
