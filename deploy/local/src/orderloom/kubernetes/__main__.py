"""Makes those manifests that follow from the topic catalogue and the names of the services.

    python -m orderloom.kubernetes            writes them
    python -m orderloom.kubernetes --check    writes nothing; exits 1 naming each file that differs

What a deployment wants otherwise it patches in its overlay. Needs PyYAML, which developers have and the image has not.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from orderloom.kubernetes import databases, scaling, strimzi
from orderloom.kubernetes.strimzi import Resource

ROOT = Path(__file__).parents[5]
"""Of the repository."""
FOLDER = Path("deploy/k8s/overlays/production/generated")
HEAD = "# Made by `make k8s`, from contracts/topics.py. Not to be changed by hand: patch it in the overlay.\n"


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="orderloom.kubernetes", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 naming each file that differs")
    differing = differing_files(root)
    if parser.parse_args(arguments).check:
        for path in differing:
            print(f"{path} differs: run `make k8s`.", file=sys.stderr)
        return 1 if differing else 0
    for path, text in differing.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
        print(path)
    return 0


def generated() -> dict[Path, str]:
    """Every file, with its text."""
    files = {
        "topics.yaml": strimzi.topics(),
        "users.yaml": strimzi.users(),
        "scaling.yaml": scaling.resources(),
        "databases.yaml": databases.resources(),
    }
    return {FOLDER / name: as_text(resources) for name, resources in files.items()}


def differing_files(root: Path = ROOT) -> dict[Path, str]:
    """Those that are not on the disk as they should be."""
    return {
        path: text
        for path, text in generated().items()
        if not (root / path).exists() or (root / path).read_text(encoding="utf-8") != text
    }


def as_text(resources: Sequence[Resource]) -> str:
    documents = [yaml.safe_dump(resource, sort_keys=False, width=120) for resource in resources]
    return HEAD + "---\n".join(documents)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
