"""Tries the manifests under deploy/k8s on clusters, and writes bench/results/ops-kubernetes.json.

    python -m bench.ops_kubernetes manifests     schemas, and a server that is only asked
    python -m bench.ops_kubernetes production    rolls it out: for nodes that pretend to run pods
    python -m bench.ops_kubernetes next FOLDER   writes what an image of the next release is built from
    python -m bench.ops_kubernetes small         installs it, and does to it what operations do, while orders flow

`--kubectl` may be several words. The last one wants to run where the addresses of Services and pods are reached.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.ops_kubernetes import checking, production, small
from bench.ops_kubernetes.cluster import ROOT, Cluster
from chaos.newer import made_once

RESULTS = ROOT / "bench" / "results" / "ops-kubernetes.json"
NEXT = """\
ARG RELEASE
FROM ${RELEASE}
COPY src /opt/orderloom/src
"""


def main() -> int:
    arguments = _parser().parse_args()
    cluster = Cluster(arguments.kubectl)
    if arguments.what == "next":
        made_once(arguments.folder / "src")
        (arguments.folder / "Dockerfile").write_text(NEXT)
        return 0
    result = _tried(cluster, arguments)
    print(json.dumps(result, indent=1, ensure_ascii=False))
    if arguments.record:
        _record(arguments.what, result, cluster)
    return 0 if result["holds"] else 1


def _tried(cluster: Cluster, arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.what == "manifests":
        return checking.check(cluster, arguments.kubeconform)
    if arguments.what == "production":
        return production.try_out(cluster)
    small.install(cluster)
    return asyncio.run(small.try_out(cluster, seed=arguments.seed, next_image=arguments.next_image))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench.ops_kubernetes", description=__doc__)
    parser.add_argument("what", choices=["manifests", "production", "next", "small"])
    parser.add_argument("folder", nargs="?", type=Path, help="of `next`")
    parser.add_argument("--kubectl", default="kubectl", metavar="COMMAND")
    parser.add_argument("--kubeconform", default="kubeconform -strict", metavar="COMMAND", help="with its schemas")
    parser.add_argument("--next-image", metavar="IMAGE", help="of the next release, known to the node")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="write it into bench/results")
    return parser


def _record(what: str, result: dict[str, Any], cluster: Cluster) -> None:
    """Beside what was tried before."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    described = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True)
    server = json.loads(cluster.run("version", "--output", "json"))["serverVersion"]["gitVersion"]
    about = {"revision": described.stdout.strip(), "kubernetes": server, "cpus": os.cpu_count()}
    known[what] = about | {"python": platform.python_version()} | result
    RESULTS.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
