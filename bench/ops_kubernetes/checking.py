"""Every overlay against the schemas of its kinds, and against a server that says what it would do."""

import shlex
import subprocess
from typing import Any

import yaml

from bench.ops_kubernetes.cluster import Cluster, KubectlFailed, documents

OVERLAYS = ("small", "production")
STRICTLY = ("--dry-run=server", "--validate=strict", "--warnings-as-errors")


def check(cluster: Cluster, kubeconform: str) -> dict[str, Any]:
    """By overlay, how many resources it has and what is wrong with them."""
    found = {overlay: _check_one(cluster, kubeconform, cluster.rendered(overlay)) for overlay in OVERLAYS}
    return {"holds": all(each["schemas"] == each["server"] == "holds" for each in found.values()), "overlays": found}


def _check_one(cluster: Cluster, kubeconform: str, manifests: str) -> dict[str, Any]:
    asked = subprocess.run(
        [*shlex.split(kubeconform), "-"], input=manifests, capture_output=True, text=True, check=False
    )
    return {
        "resources": len(documents(manifests)),
        "schemas": "holds" if asked.returncode == 0 else asked.stdout + asked.stderr,
        "server": _asked_of_server(cluster, manifests),
    }


def _asked_of_server(cluster: Cluster, manifests: str) -> str:
    """The namespace has to be there before the server says anything about what is in it."""
    namespace = [each for each in documents(manifests) if each["kind"] == "Namespace"]
    cluster.apply(yaml.safe_dump_all(namespace))
    try:
        cluster.apply(manifests, *STRICTLY)
    except KubectlFailed as failure:
        return str(failure)
    return "holds"
