"""The overlay `production` on nodes of three zones that only pretend to run pods: what is scheduled where.

No operator runs there. What KEDA would do is done in its place: the ScaledObject says how many workers there may be.
"""

import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from bench.ops_kubernetes.cluster import DEPLOYMENTS, NAMESPACE, Cluster, KubectlFailed, Resource, documents

ZONE = "topology.kubernetes.io/zone"
PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.5
Counts = dict[str, int]


def try_out(cluster: Cluster) -> dict[str, Any]:
    """How many pods each Deployment has at its least and at its most, where, and how many of them may go."""
    manifests = cluster.rendered("production")
    cluster.release(manifests)
    least, most = limits(documents(manifests))
    found = {"least": _with(cluster, least), "most": _with(cluster, most)}
    _scale(cluster, least)
    found["a zone drained"] = _without_a_zone(cluster)
    found["rolled over"] = _rolled_over(cluster, least)
    wrong = [*_wrong(found["least"], least, zones=3), *_wrong(found["most"], most, zones=3)]
    wrong += _wrong(found["a zone drained"], least, zones=2) + _wrong(found["rolled over"], least, zones=3)
    return {"holds": not wrong, "wrong": wrong, "accepted": _kinds(documents(manifests)), **found}


def limits(resources: Iterable[Resource]) -> tuple[Counts, Counts]:
    """By Deployment, the least and the most replicas, as its autoscaler is told."""
    least: Counts = {}
    most: Counts = {}
    for resource in resources:
        name, spec = resource["metadata"]["name"], resource.get("spec", {})
        if resource["kind"] == "HorizontalPodAutoscaler":
            least[name], most[name] = spec["minReplicas"], spec["maxReplicas"]
        elif resource["kind"] == "ScaledObject":
            least[name], most[name] = spec["minReplicaCount"], spec["maxReplicaCount"]
    return least, most


def _with(cluster: Cluster, replicas: Counts) -> dict[str, Any]:
    _scale(cluster, replicas)
    return _seen(cluster)


def _scale(cluster: Cluster, replicas: Counts) -> None:
    for name, count in replicas.items():
        cluster.run("scale", f"deployment/{name}", "--namespace", NAMESPACE, f"--replicas={count}")
    cluster.until_rolled_out()
    _until_settled(cluster, replicas)


def _until_settled(cluster: Cluster, replicas: Counts) -> None:
    """Budgets are counted again a moment after the pods. Raise KubectlFailed."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(budget["healthy"] != replicas[name] for name, budget in _budgets(cluster).items()):
        if time.monotonic() > deadline:
            raise KubectlFailed(f"the budgets do not settle: {_budgets(cluster)}")
        time.sleep(POLL_SECONDS)


def _seen(cluster: Cluster) -> dict[str, Any]:
    """By Deployment: its pods by zone, and how many may be evicted at once."""
    zones = {node["metadata"]["name"]: node["metadata"]["labels"][ZONE] for node in cluster.get("nodes")["items"]}
    by_zone: dict[str, Counter[str]] = {name: Counter() for name in DEPLOYMENTS}
    for pod in cluster.get("pods", "--selector", "pod-template-hash")["items"]:
        labels = pod["metadata"]["labels"]
        name = f"{labels['app.kubernetes.io/name']}-{labels['app.kubernetes.io/component']}"
        if "deletionTimestamp" not in pod["metadata"]:
            by_zone[name][zones.get(pod["spec"].get("nodeName"), "nowhere")] += 1
    budgets = _budgets(cluster)
    return {name: {"zones": dict(sorted(by_zone[name].items())), **budgets[name]} for name in DEPLOYMENTS}


def _budgets(cluster: Cluster) -> dict[str, Counts]:
    return {
        each["metadata"]["name"]: {
            "healthy": each["status"].get("currentHealthy", 0),
            "may_go": each["status"].get("disruptionsAllowed", 0),
        }
        for each in cluster.get("poddisruptionbudgets")["items"]
    }


def _without_a_zone(cluster: Cluster) -> dict[str, Any]:
    """Everything of one zone is evicted, one pod of a Deployment at a time, and finds room in the others."""
    node = cluster.names("nodes")[0]
    counts = {name: sum(each["zones"].values()) for name, each in _seen(cluster).items()}
    try:
        cluster.run("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=120s")
        cluster.until_rolled_out()
        _until_settled(cluster, counts)
        return _seen(cluster)
    finally:
        cluster.run("uncordon", node)


def _rolled_over(cluster: Cluster, replicas: Counts) -> dict[str, Any]:
    """All replaced: the new ones are spread by themselves, whatever zones the old ones are in."""
    cluster.run("rollout", "restart", "deployment", "--namespace", NAMESPACE)
    cluster.until_rolled_out()
    _until_settled(cluster, replicas)
    return _seen(cluster)


def _wrong(seen: dict[str, Any], replicas: Counts, *, zones: int) -> list[str]:
    found = []
    for name, each in seen.items():
        counts = list(each["zones"].values())
        counts += [0] * (zones - len(counts))
        if sum(counts) != replicas[name]:
            found.append(f"{name} has {each['zones']}, which are not {replicas[name]}")
        if max(counts) - min(counts) > 1 or "nowhere" in each["zones"]:
            found.append(f"{name} is not spread: {each['zones']}")
        if each["may_go"] != 1:
            found.append(f"{name}: {each['may_go']} may go at once")
    return found


def _kinds(resources: Iterable[Resource]) -> Counts:
    return dict(sorted(Counter(resource["kind"] for resource in resources).items()))
