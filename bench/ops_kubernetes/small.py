"""The overlay `small` on a real node: orders flow while everything that operations do to a cluster is done to it."""

import asyncio
import copy
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import yaml

from bench.ops_kubernetes.cluster import DEPLOYMENTS, NAMESPACE, Cluster, documents
from bench.ops_kubernetes.watching import Counting, Databases, not_answered
from chaos import invariants
from chaos.load import Load
from contracts.topics import SERVICES
from orderloom.defaults import ADMINISTRATOR, DEMO_PASSWORD
from orderloom.gateway import CONNECTIONS_MAX, Gateway

WARM_UP_SECONDS = 10.0
PAUSE_SECONDS = 5.0
SETTLE_SECONDS = 420.0
DATA = ("kafka-0", "postgres-0")


def install(cluster: Cluster) -> None:
    """Secrets where there are none, then the release."""
    manifests = cluster.rendered("small")
    namespace = [each for each in documents(manifests) if each["kind"] == "Namespace"]
    cluster.apply(yaml.safe_dump_all(namespace))
    if "gateway-signing-key" not in cluster.names("secrets"):
        made = subprocess.check_output([sys.executable, "-m", "orderloom.kubernetes.secrets"], text=True)
        cluster.run("create", "--filename", "-", given=made)
    cluster.release(manifests)


async def try_out(cluster: Cluster, *, seed: int, next_image: str) -> dict[str, Any]:
    """The result: every step with the answers of its time, and the verdict of the invariants."""
    transport = Counting(limits=httpx.Limits(max_connections=CONNECTIONS_MAX))
    address = f"http://{cluster.address_of('gateway-api')}:8000"
    passwords = {ADMINISTRATOR: cluster.secret("gateway-administrator", "password")}
    async with Gateway(address, passwords, password=DEMO_PASSWORD, transport=transport) as gateway:
        load = Load(gateway, None, random.Random(seed))
        loading = asyncio.create_task(load.run())
        await asyncio.sleep(WARM_UP_SECONDS)
        trial = Trial(cluster, transport, load)
        await trial.do_everything(next_image)
        load.enough.set()
        done, _ = await asyncio.wait([loading], timeout=SETTLE_SECONDS)
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await asyncio.sleep(PAUSE_SECONDS)
        broken = await invariants.check_all(Databases(cluster, SERVICES), load, None, gateway)
    broken["everything settles"] = [] if done else [f"not within {SETTLE_SECONDS:.0f} s"]
    return _verdict(trial, load, transport, broken)


class Trial:
    """Does one thing after the other to the cluster, and writes down what the load met meanwhile."""

    def __init__(self, cluster: Cluster, transport: Counting, load: Load) -> None:
        self.steps: list[dict[str, Any]] = []
        self._cluster = cluster
        self._transport = transport
        self._load = load

    async def do_everything(self, next_image: str) -> None:
        old_image = self._image()
        for service in SERVICES:
            await self._do(f"{service}: migration of the next release", partial(self._migrate, service, next_image))
            await self._do(f"{service}: rolling upgrade", partial(self._roll, service, next_image))
        for service in SERVICES:
            await self._do(f"{service}: rolled back, its database stays", partial(self._roll, service, old_image))
        for name in DEPLOYMENTS:
            await self._do(f"{name}: its pod killed", partial(self._kill_one_of, name))
        for name in DATA:
            await self._do(f"{name}: its pod killed", partial(self._kill, name))
        await self._do("the only node drained and returned", self._drain)

    async def _do(self, what: str, act: Callable[[], None]) -> None:
        before, placed, started = self._transport.answers.copy(), len(self._load.placed), time.monotonic()
        await asyncio.to_thread(act)
        await asyncio.to_thread(self._cluster.until_ready)
        seconds = time.monotonic() - started
        await asyncio.sleep(PAUSE_SECONDS)
        answers = self._transport.answers - before
        step = {
            "what": what,
            "seconds": round(seconds, 1),
            "orders_placed": len(self._load.placed) - placed,
            "requests": sum(answers.values()),
            "tried_again": not_answered(answers),
        }
        self.steps.append(step)
        print(step, flush=True)

    def _image(self) -> str:
        image: str = self._cluster.get("deployment", DEPLOYMENTS[0])["spec"]["template"]["spec"]["containers"][0][
            "image"
        ]
        return image

    def _migrate(self, service: str, image: str) -> None:
        """The Job of the manifests with another image, under another name."""
        rendered = documents(self._cluster.rendered("small"))
        (job,) = (copy.deepcopy(each) for each in rendered if each["metadata"]["name"] == f"{service}-migrate")
        job["metadata"]["name"] += "-next"
        job["spec"]["template"]["spec"]["containers"][0]["image"] = image
        self._cluster.apply(yaml.safe_dump(job))
        done = ("--for=condition=Complete", "--timeout=300s", "--namespace", NAMESPACE)
        self._cluster.run("wait", *done, f"job/{service}-migrate-next")

    def _roll(self, service: str, image: str) -> None:
        for role in ("api", "worker"):
            self._cluster.run(
                "set", "image", "--namespace", NAMESPACE, f"deployment/{service}-{role}", f"{role}={image}"
            )
        self._cluster.until_rolled_out([f"{service}-{role}" for role in ("api", "worker")])

    def _pod_of(self, deployment: str) -> str:
        service, role = deployment.split("-")
        labels = f"app.kubernetes.io/name={service},app.kubernetes.io/component={role}"
        return self._cluster.names("pods", "--selector", labels, "--field-selector", "status.phase=Running")[0]

    def _kill_one_of(self, deployment: str) -> None:
        self._kill(self._pod_of(deployment))

    def _kill(self, pod: str) -> None:
        self._cluster.run("delete", "pod", pod, "--namespace", NAMESPACE, "--force", "--grace-period=0")

    def _drain(self) -> None:
        (node,) = [item["metadata"]["name"] for item in self._cluster.get("nodes")["items"]]
        try:
            self._cluster.run("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=300s")
        finally:
            self._cluster.run("uncordon", node)


def _verdict(trial: Trial, load: Load, transport: Counting, broken: dict[str, list[str]]) -> dict[str, Any]:
    outcomes = Counter(placed.outcome for placed in load.placed)
    refusals = Counter(said[:80] for placed in load.placed for said in placed.refusals) + Counter(load.failures)
    return {
        "holds": not any(broken.values()),
        "orders": dict(outcomes),
        "requests": dict(sorted(transport.answers.items())),
        "tried_again": not_answered(transport.answers),
        "refused_or_given_up": dict(refusals.most_common(20)),
        "invariants": {name: defects[:5] or "holds" for name, defects in broken.items()},
        "steps": trial.steps,
    }
