"""A cluster of PostgreSQL for each service, run by CloudNativePG, and its daily backup."""

from contracts.topics import SERVICES
from orderloom.kubernetes.strimzi import Resource

API = "postgresql.cnpg.io/v1"
INSTANCES = 3
IMAGE = "ghcr.io/cloudnative-pg/postgresql:18"
BACKUPS = "backups"
"""The ObjectStore that all clusters archive to, each under its own name."""
PLUGIN = "barman-cloud.cloudnative-pg.io"
CONNECTIONS_MAX = 300
"""Above what `APIS_MAX` and `WORKERS_MAX` processes open at most."""


def resources() -> list[Resource]:
    return [made for number, service in enumerate(SERVICES) for made in (_cluster(service), _backup(service, number))]


def _cluster(service: str) -> Resource:
    """Named as the services' settings expect: `<service>-db-rw` serves, `<service>-db-app` holds the password."""
    return {
        "apiVersion": API,
        "kind": "Cluster",
        "metadata": {"name": f"{service}-db"},
        "spec": {
            "instances": INSTANCES,
            "imageName": IMAGE,
            "priorityClassName": "orderloom-data",
            "bootstrap": {"initdb": {"database": service, "owner": service}},
            "storage": {"size": "50Gi"},
            "walStorage": {"size": "20Gi"},
            "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
            "affinity": {
                "enablePodAntiAffinity": True,
                "podAntiAffinityType": "required",
                "topologyKey": "topology.kubernetes.io/zone",
            },
            "postgresql": {
                "parameters": {"max_connections": str(CONNECTIONS_MAX), "shared_buffers": "512MB"},
                "synchronous": {"method": "any", "number": 1, "dataDurability": "required"},
            },
            "plugins": [{"name": PLUGIN, "isWALArchiver": True, "parameters": {"barmanObjectName": BACKUPS}}],
        },
    }


def _backup(service: str, number: int) -> Resource:
    """Daily, ten minutes after that of the service before."""
    return {
        "apiVersion": API,
        "kind": "ScheduledBackup",
        "metadata": {"name": f"{service}-db-daily"},
        "spec": {
            "cluster": {"name": f"{service}-db"},
            "schedule": f"0 {10 * number} 2 * * *",
            "backupOwnerReference": "self",
            "method": "plugin",
            "pluginConfiguration": {"name": PLUGIN},
        },
    }
