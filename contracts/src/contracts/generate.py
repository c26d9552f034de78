"""Makes what follows from the contracts: frozen schemas, `docs/events.md`, `docs/asyncapi.json`.

    python -m contracts.generate                    writes them
    python -m contracts.generate --check            writes nothing; exits 1 naming each file that differs
    python -m contracts.generate --release 0.2.0    keeps the schemas for good, as those of a version

A schema that breaks one of a released version is refused, in every mode.
"""

import argparse
import json
import shutil
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.asyncapi import asyncapi
from contracts.compatibility import breaking_changes
from contracts.events_page import events_page
from contracts.schema import Schema, schemas

ROOT = Path(__file__).parents[3]
"""Of the repository."""
SCHEMAS = Path("contracts/schemas")
EXAMPLES = Path("contracts/examples")
RELEASED = Path("contracts/released")
"""`<version>/<wire name>.json`: what was told, or asked for, by that version."""


def main(arguments: list[str], root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="contracts.generate", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 naming each file that differs")
    parser.add_argument("--release", metavar="VERSION", help="keep the schemas for good, as those of this version")
    options = parser.parse_args(arguments)
    current = schemas()
    problems = breaks_of_released(current, root)
    if not problems:
        differing = differing_files(generated(current, root), root)
        if options.check:
            problems = [f"{path} differs: run `make contracts`." for path in differing]
        else:
            _write(differing, root)
    if not problems and options.release:
        problems = _release(options.release, root)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def breaks_of_released(current: Mapping[str, Schema], root: Path = ROOT) -> list[str]:
    """What `current` breaks of any version that was ever released."""
    problems = []
    for path in sorted((root / RELEASED).glob("*/*.json")):
        name, version = path.stem, path.parent.name
        if name not in current:
            problems.append(f"{name} is gone since {version}: records of it are still read.")
            continue
        for change in breaking_changes(json.loads(path.read_text(encoding="utf-8")), current[name]):
            problems.append(f"{name}{change} since {version}: only new optional fields, or make it a v2.")
    return problems


def generated(current: Mapping[str, Schema], root: Path = ROOT) -> dict[Path, str]:
    """Every file that follows from the contracts, with its text."""
    examples = {name: _example(name, root) for name in current}
    project = tomllib.loads((root / "contracts/pyproject.toml").read_text(encoding="utf-8"))["project"]
    files = {SCHEMAS / f"{name}.json": as_text(schema) for name, schema in current.items()}
    files[Path("docs/events.md")] = events_page(current, examples)
    files[Path("docs/asyncapi.json")] = as_text(asyncapi(project["version"], examples))
    return files


def differing_files(files: Mapping[Path, str], root: Path = ROOT) -> dict[Path, str | None]:
    """Those of `files` that are not on the disk as they should be, and schemas that should not be there: `None`."""
    on_disk = {path.relative_to(root) for path in (root / SCHEMAS).glob("*.json")}
    differing: dict[Path, str | None] = dict.fromkeys(sorted(on_disk - files.keys()))
    for path, text in files.items():
        if not (root / path).exists() or (root / path).read_text(encoding="utf-8") != text:
            differing[path] = text
    return differing


def as_text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _example(name: str, root: Path) -> Any:
    path = EXAMPLES / f"{name}.json"
    if not (root / path).exists():
        sys.exit(f"{path} is missing: write one.")
    return json.loads((root / path).read_text(encoding="utf-8"))


def _write(files: Mapping[Path, str | None], root: Path) -> None:
    for path, text in files.items():
        if text is None:
            (root / path).unlink()
        else:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        print(path)


def _release(version: str, root: Path) -> list[str]:
    released = root / RELEASED / version
    if released.exists():
        return [f"{version} was released already: what is released never changes."]
    shutil.copytree(root / SCHEMAS, released)
    return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
