"""The rules of the house, checked, and each check proven to catch what it is for."""

import ast
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from chassis.application import Service
from contracts.catalogue import EVENTS
from contracts.topics import READ_MODELS

ROOT = Path(__file__).parents[1]
SERVICES = {
    "order": ROOT / "services/order",
    "project": ROOT / "services/project",
    "finance": ROOT / "services/finance",
    "notify": ROOT / "services/notify",
    "portal": ROOT / "services/portal-gateway",
}
ROOMS = {"settings", "models", "operations", "queries", "schemas", "api", "consumers", "clients", "app"}
NOT_A_NOUN = {"utils", "util", "helpers", "helper", "common", "base", "manager", "service", "misc", "lib", "core"}
LINES_MAX = 400


def sources() -> list[Path]:
    found = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py", "*.html", "*.css", "*.js", "*.sh"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in found.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_is_over_400_lines() -> None:
    too_long = {str(path): len(path.read_text().splitlines()) for path in sources()}
    assert {path: lines for path, lines in too_long.items() if lines > LINES_MAX} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in sources() if path.suffix == ".py" and path.stem in NOT_A_NOUN] == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_the_rooms_and_no_room_twice(name: str) -> None:
    package = SERVICES[name] / "src" / name
    modules = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {"settings", "models", "operations", "queries", "api", "consumers", "app"} <= modules
    for room in ROOMS:
        assert not ((package / f"{room}.py").exists() and (package / room / "__init__.py").exists())
        assert not (modules & {f"{room.rstrip('s')}_{room}", room.rstrip("s") if room.endswith("s") else f"{room}s"})


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_says_what_it_owns(name: str) -> None:
    assert (SERVICES[name] / "README.md").read_text().strip()


@pytest.mark.parametrize("event_type", EVENTS)
def test_every_event_class_has_a_frozen_schema_and_an_example(event_type: str) -> None:
    for folder in ("schemas", "examples"):
        assert json.loads((ROOT / "contracts" / folder / f"{event_type}.json").read_text())


@pytest.mark.parametrize("name", SERVICES)
def test_the_topics_say_which_services_keep_a_read_model(name: str) -> None:
    service: Service = import_module(f"{name}.app").service
    assert (service.read_model is not None) == (service.name in READ_MODELS)
    if service.read_model is not None:
        assert service.read_model.root is service.root
        assert service.read_model.consumer in service.consumers


def consumed(name: str) -> set[str]:
    """The event classes that a service's consumers are registered for."""
    package = SERVICES[name] / "src" / name
    files = [package / "consumers.py", *(package / "consumers").glob("*.py")]
    text = "\n".join(file.read_text() for file in files if file.exists())
    return set(re.findall(r"@\w+\.on\((?:\w+\.)?(\w+)\)", text))


@pytest.mark.parametrize("name", SERVICES)
def test_every_consumer_has_a_duplicate_delivery_test(name: str) -> None:
    tests = "\n".join(file.read_text() for file in (SERVICES[name] / "tests").rglob("*.py"))
    tests += "\n".join(file.read_text() for file in (ROOT / "tests").glob("*.py"))
    assert "hear_again" in tests
    missing = {event for event in consumed(name) if event not in tests}
    assert missing == set()


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


VIOLATIONS = {
    "services do not import each other": ("order/pricing.py", "import finance.models"),
    "contracts stand alone": ("contracts/topics.py", "import chassis.ids"),
    "the chassis knows no service": ("chassis/ids.py", "import order.models"),
    "models know no operation": ("order/models/client.py", "import order.operations"),
    "queries know no operation": ("finance/queries.py", "import finance.operations"),
    "operations know no api": ("order/operations/thread.py", "import order.api"),
    "rules know no transport": ("order/models/client.py", "import fastapi"),
}


@pytest.mark.parametrize("rule", VIOLATIONS)
def test_the_import_rules_catch_a_violation(rule: str, tmp_path: Path) -> None:
    file, line = VIOLATIONS[rule]
    for package in (
        ROOT / "contracts/src",
        ROOT / "chassis/src",
        *ROOT.glob("services/*/src"),
        ROOT / "deploy/local/src",
    ):
        subprocess.run(["cp", "-r", f"{package}/.", tmp_path], check=True)
    subprocess.run(["cp", ROOT / "pyproject.toml", tmp_path], check=True)
    target = next(
        path for path in (tmp_path / file, tmp_path / file.removesuffix(".py") / "__init__.py") if path.exists()
    )
    target.write_text(f"{target.read_text()}\n{line}\n")
    lint = Path(sys.executable).parent / "lint-imports"
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    answer = subprocess.run([lint, "--no-cache"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert answer.returncode != 0, answer.stdout
    assert "BROKEN" in answer.stdout
