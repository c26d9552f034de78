"""What the compose file says agrees with the settings, the secrets and the version of this checkout."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.topics import SERVICES
from notify.settings import Settings as NotifySettings
from orderloom.commands import secrets
from orderloom.stack import MODULES
from portal.settings import Settings as GatewaySettings

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
OURS = {name: each for name, each in FILE["services"].items() if "orderloom/orderloom" in each["image"]}
SETTINGS = {f"ORDERLOOM_{name.upper()}" for kind in (NotifySettings, GatewaySettings) for name in kind.model_fields}
OF_TOOLS = {"ORDERLOOM_SECRETS_DIR", "ORDERLOOM_DEMO_PASSWORD"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_its_api_its_worker_and_its_migration(service: str) -> None:
    for role, name in (("api", "api"), ("worker", "worker"), ("migrate", "migrate")):
        assert OURS[f"{service}-{name}"]["command"] == [MODULES[service], role]


def test_every_name_that_a_process_is_told_is_a_setting() -> None:
    told = {name for each in OURS.values() for name in each["environment"]}
    told |= {secret["target"] for each in OURS.values() for secret in each.get("secrets", [])} - {
        "signing-key.pem",
        "more-keys.json",
    }
    assert told - SETTINGS - OF_TOOLS == set()


def test_every_service_gets_a_database_and_a_role() -> None:
    (listed,) = re.findall(r"for service in (.*); do", (ROOT / "deploy" / "compose" / "databases.sh").read_text())
    assert tuple(listed.split()) == SERVICES


def test_no_secret_is_told_by_the_environment() -> None:
    told = {name for each in FILE["services"].values() for name in each.get("environment", {})}
    secret = re.compile(r"PASSWORD|SECRET|DATABASE_URL")
    by_file = re.compile(r"FILE$|SECRETS_DIR$|DEMO_PASSWORD$")  # that of the demo people is told to everyone
    assert {name for name in told if secret.search(name) and not by_file.search(name)} == set()


def test_a_service_is_given_no_secret_of_another() -> None:
    for name, each in OURS.items():
        given = {secret["source"] for secret in each.get("secrets", [])}
        owners = {source.partition("-")[0] for source in given} & set(SERVICES)
        assert owners <= {name.partition("-")[0]}, name
        assert "signing-key" not in given or name.startswith("gateway")


def test_every_secret_is_one_that_is_made(tmp_path: Path) -> None:
    made = set(secrets.make(tmp_path, database_server="postgres:5432"))
    assert {Path(secret["file"]).name for secret in FILE["secrets"].values()} == made


@pytest.mark.parametrize("name", OURS)
def test_what_is_ours_can_write_nowhere_and_do_nothing_more_than_its_user(name: str) -> None:
    ours = OURS[name]
    assert ours["read_only"] and ours["tmpfs"] == ["/tmp"] and ours["cap_drop"] == ["ALL"]
    assert ours["user"] == "10001:10001" and "no-new-privileges:true" in ours["security_opt"]


@pytest.mark.parametrize("name", FILE["services"])
def test_every_container_has_a_limit_of_memory_a_pinned_image_and_a_profile(name: str) -> None:
    service = FILE["services"][name]
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert re.search(r":[v\d$]", service["image"])
    assert service["profiles"] in (["core"], ["observe"])


def test_every_port_is_open_on_the_loopback_alone() -> None:
    ports = [port for each in FILE["services"].values() for port in each.get("ports", [])]
    assert ports and [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_the_image_is_that_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"orderloom:${{ORDERLOOM_VERSION:-{version}}}" in TEXT


def test_prometheus_asks_every_process() -> None:
    told = (ROOT / "deploy" / "observe" / "prometheus.yaml").read_text()
    assert {f"{name}:8000" for name in OURS if name.endswith(("-api", "-worker"))} == set(
        re.findall(r"[a-z]+-(?:api|worker):8000", told)
    )
