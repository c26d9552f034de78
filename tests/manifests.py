"""The manifests of Kubernetes as kustomize would put them together, as far as that needs no kustomize."""

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Resource = dict[str, Any]

FOLDER = Path(__file__).parents[1] / "deploy" / "k8s"
BASE = FOLDER / "base"
OVERLAYS = {name: FOLDER / "overlays" / name for name in ("small", "production")}


def kustomization(folder: Path) -> Resource:
    """What `folder` says that it is made of."""
    (document,) = documents(folder / "kustomization.yaml")
    return document


def documents(file: Path) -> list[Resource]:
    """Those in `file`. They are the caller's to change."""
    return copy.deepcopy(_read(file))


@cache
def _read(file: Path) -> list[Resource]:
    return list(yaml.safe_load_all(file.read_text()))


def resources(folder: Path) -> list[Resource]:
    """Those that `folder` names itself, not those of the folders that it names."""
    named = [folder / name for name in kustomization(folder).get("resources", [])]
    return [document for path in named if path.is_file() for document in documents(path)]


def of_service(service: str) -> list[Resource]:
    """The Deployments and the Job of `service`, made of the template by its patches."""
    folder = BASE / service
    made = []
    for template in resources(BASE / "a-service"):
        if template["kind"] in ("Deployment", "Job"):
            made.append(template)
            for patch in patches(folder, template["kind"]):
                apply(made[-1], patch)
    return made


def patches(folder: Path, kind: str) -> Iterator[Resource]:
    """The JSON patches that `folder` applies to everything of a kind."""
    for patch in kustomization(folder).get("patches", []):
        if kind in patch["target"]["kind"].split("|") and "labelSelector" not in patch["target"]:
            text = (folder / patch["path"]).read_text() if "path" in patch else patch["patch"]
            yield from yaml.safe_load(text)


def apply(document: Resource, patch: Resource) -> None:
    """Change `document` as one operation of RFC 6902 says. Raise LookupError where it does not fit."""
    *way, last = patch["path"].strip("/").split("/")
    place: Any = document
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if isinstance(place, list) and last == "-":
        place.append(patch["value"])
    elif patch["op"] == "remove":
        del place[last]
    else:
        key = int(last) if isinstance(place, list) else last
        if patch["op"] == "replace":
            place[key]  # it must be there
        place[key] = patch["value"]


def pods(made: list[Resource]) -> Iterator[tuple[str, Resource]]:
    """The pod template of everything that has one, by the name of what has it."""
    for resource in made:
        if resource["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield resource["metadata"]["name"], resource["spec"]["template"]


def named(key: str, value: Any) -> Iterator[Any]:
    """What stands under `key`, however deep in `value`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from named(key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from named(key, inner)
