"""A cluster, as `kubectl` reaches it; and the way in which a release comes to it."""

import base64
import json
import shlex
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from contracts.topics import SERVICES

Resource = dict[str, Any]
NAMESPACE = "orderloom"
ROOT = Path(__file__).parents[2]
OVERLAYS = ROOT / "deploy" / "k8s" / "overlays"
DEPLOYMENTS = tuple(f"{service}-{role}" for service in SERVICES for role in ("api", "worker"))
PATIENCE = "--timeout=300s"
POLL_SECONDS = 0.5
STEP = "orderloom/step"


class KubectlFailed(Exception):
    """What it said."""


class Cluster:
    """`kubectl` may be several words. Everything is done in the namespace of the manifests."""

    def __init__(self, kubectl: str) -> None:
        self._kubectl = shlex.split(kubectl)

    def run(self, *arguments: str, given: str | None = None) -> str:
        """What it printed. Raise KubectlFailed."""
        command = [*self._kubectl, *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if done.returncode:
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def get(self, *arguments: str) -> Any:
        return json.loads(self.run("get", "--namespace", NAMESPACE, "--output", "json", *arguments))

    def names(self, *arguments: str) -> list[str]:
        return [item["metadata"]["name"] for item in self.get(*arguments)["items"]]

    def address_of(self, service: str) -> str:
        """Where the Service is reached from a node."""
        address: str = self.get("service", service)["spec"]["clusterIP"]
        return address

    def secret(self, name: str, key: str) -> str:
        return base64.b64decode(self.get("secret", name)["data"][key]).decode()

    def rendered(self, overlay: str) -> str:
        return self.run("kustomize", str(OVERLAYS / overlay))

    def apply(self, manifests: str, *options: str) -> str:
        return self.run("apply", "--filename", "-", *options, given=manifests)

    def release(self, manifests: str) -> None:
        """As docs/kubernetes.md says: what stands below, migrations, what serves, what comes after."""
        self.run("delete", "jobs", "--namespace", NAMESPACE, "--selector", STEP, "--ignore-not-found")
        self.apply(manifests, "--selector", f"!{STEP}")
        self.apply(manifests, "--selector", f"{STEP}=before")
        self.until_done(f"{STEP}=before")
        self.apply(manifests, "--selector", f"{STEP}=roll-out")
        self.until_rolled_out()
        if any(_step(resource) == "after" for resource in documents(manifests)):
            self.apply(manifests, "--selector", f"{STEP}=after")
            self.until_done(f"{STEP}=after")

    def until_done(self, selector: str) -> None:
        named = ("jobs", "--namespace", NAMESPACE, "--selector", selector)
        self.run("wait", "--for=condition=Complete", PATIENCE, *named)

    def until_rolled_out(self, deployments: Sequence[str] = DEPLOYMENTS) -> None:
        for name in deployments:
            self.run("rollout", "status", f"deployment/{name}", "--namespace", NAMESPACE, PATIENCE)

    def until_ready(self, seconds: float = 300.0) -> None:
        """Every pod that there should be is there, ready. Raise KubectlFailed."""
        deadline = time.monotonic() + seconds
        while unready := self.unready():
            if time.monotonic() > deadline:
                raise KubectlFailed(f"not ready within {seconds:.0f} s: {unready}")
            time.sleep(POLL_SECONDS)

    def unready(self) -> list[str]:
        found = self.get("deployments,statefulsets")["items"]
        return [
            each["metadata"]["name"]
            for each in found
            if each["status"].get("readyReplicas", 0) < each["spec"]["replicas"]
            or each["status"].get("observedGeneration", 0) < each["metadata"]["generation"]
        ]


def documents(manifests: str) -> list[Resource]:
    return [document for document in yaml.safe_load_all(manifests) if document]


def _step(resource: Resource) -> str:
    step: str = resource["metadata"].get("labels", {}).get(STEP, "")
    return step
