"""The manifests of Kubernetes agree with the code, with the catalogue and with each other. No cluster is asked."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import manifests
from chassis.application import GRACE_SECONDS, Service
from chassis.database import SERVER_SETTINGS
from chassis.health import health_router
from chassis.kafka import KafkaSettings
from chassis.worker import CANCEL_AGAIN_SECONDS
from contracts.acls import OPERATORS
from contracts.topics import CATALOGUE, ERP, PARTITIONS, SERVICES
from orderloom.kubernetes import databases, scaling, secrets, strimzi
from orderloom.kubernetes.__main__ import differing_files
from orderloom.stack import MODULES

ROOT = Path(__file__).parents[1]
TEMPLATES = {made["metadata"]["name"]: made for made in manifests.of_service("order")}
EVERYTHING = [
    *manifests.resources(manifests.BASE),
    *(made for service in SERVICES for made in manifests.of_service(service)),
    *manifests.resources(manifests.OVERLAYS["small"]),
]


def service_of(name: str) -> Service:
    found: Service = import_module(MODULES[name]).service
    return found


def container_of(template: manifests.Resource) -> manifests.Resource:
    (container,) = template["spec"]["containers"]
    found: manifests.Resource = container
    return found


def test_what_is_generated_is_as_it_would_be_generated_now() -> None:
    assert differing_files() == {}


def test_every_manifest_is_part_of_something() -> None:
    named = set()
    for folder in {file.parent for file in manifests.FOLDER.rglob("kustomization.yaml")}:
        told = manifests.kustomization(folder)
        paths = [*told.get("resources", []), *told.get("components", [])]
        paths += [patch["path"] for patch in told.get("patches", []) if "path" in patch]
        paths += [file for made in told.get("configMapGenerator", []) for file in made.get("files", [])]
        named |= {(folder / path).resolve() for path in paths}
    files = {file for file in manifests.FOLDER.rglob("*") if file.is_file() and file.name != "kustomization.yaml"}
    assert files <= named
    assert all(path.exists() for path in named)


def test_the_image_has_the_version_of_this_checkout() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for folder in (manifests.BASE, *manifests.OVERLAYS.values()):
        assert [image["newTag"] for image in manifests.kustomization(folder)["images"]] == [version]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_its_own_module_on_its_own_database_under_its_own_name(name: str) -> None:
    assert manifests.kustomization(manifests.BASE / name)["namePrefix"] == f"{name}-"
    assert service_of(name).name == name
    for what, template in manifests.pods(manifests.of_service(name)):
        container = container_of(template)
        told = {env["name"]: env for env in container["env"]}
        assert container["args"] == [MODULES[name], what]
        assert told["SERVICE"]["value"] == name
        assert told["DATABASE_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == f"{name}-db-app"
        assert told["ORDERLOOM_KAFKA_SASL_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == strimzi.secret_of(name)
        assert "a-service" not in str(template)


def told_to(name: str) -> set[str]:
    """Every setting that the manifests tell the service, in any overlay."""
    of_pods = {env["name"] for _, template in manifests.pods(manifests.of_service(name)) for env in env_of(template)}
    literals = [
        literal.partition("=")[0]
        for folder in (manifests.BASE, *manifests.OVERLAYS.values())
        for made in manifests.kustomization(folder)["configMapGenerator"]
        if made["name"] in ("orderloom-settings", f"{name}-mail")
        for literal in made.get("literals", [])
    ]
    return {setting for setting in (*of_pods, *literals) if setting.startswith("ORDERLOOM_")}


def env_of(template: manifests.Resource) -> list[manifests.Resource]:
    found: list[manifests.Resource] = container_of(template)["env"]
    return found


def test_every_setting_is_one_that_a_service_knows() -> None:
    known = {
        name: {f"ORDERLOOM_{field.upper()}" for field in service_of(name).settings.model_fields} for name in SERVICES
    }
    anybody = set.union(*known.values())
    for name in SERVICES:
        own = {env["name"] for _, template in manifests.pods(manifests.of_service(name)) for env in env_of(template)}
        assert {setting for setting in own if setting.startswith("ORDERLOOM_")} <= known[name]
        assert told_to(name) <= anybody


def test_every_setting_that_a_service_must_have_is_told() -> None:
    for name in SERVICES:
        fields = service_of(name).settings.model_fields.items()
        required = {f"ORDERLOOM_{field.upper()}" for field, told in fields if told.is_required()}
        assert required <= told_to(name)


def environment(name: str, overlay: str, template: manifests.Resource) -> dict[str, str]:
    """What the process of a pod is told, with a word in place of every secret."""
    folders = (manifests.BASE, manifests.OVERLAYS[overlay])
    maps = [made for folder in folders for made in manifests.kustomization(folder)["configMapGenerator"]]
    wanted = {source["configMapRef"]["name"] for source in container_of(template)["envFrom"]}
    literals = [literal for made in maps if made["name"] in wanted for literal in made.get("literals", [])]
    told = {name: value for name, _, value in (literal.partition("=") for literal in literals)}
    for env in env_of(template):
        value = env.get("value", "a-secret")
        told[env["name"]] = re.sub(r"\$\((\w+)\)", lambda found: told[found[1]], value)
    return told


@pytest.mark.parametrize("overlay", manifests.OVERLAYS)
@pytest.mark.parametrize("name", SERVICES)
def test_a_process_starts_with_what_it_is_told(name: str, overlay: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _, template in manifests.pods(manifests.of_service(name)):
        with monkeypatch.context() as patched:
            for variable, value in environment(name, overlay, template).items():
                patched.setenv(variable, value)
            settings = service_of(name).settings()
        database = f"postgresql+asyncpg://{name}:a-secret@{name}-db-rw:5432/{name}"
        assert settings.database_url.get_secret_value() == database
        assert settings.uses_sasl == (overlay == "production")
        assert settings.kafka_sasl_username == name


def test_secured_brokers_are_told_everything_that_they_ask_for() -> None:
    secured = {"kafka_security_protocol", "kafka_sasl_username", "kafka_sasl_password", "kafka_ca_file"}
    assert secured <= KafkaSettings.model_fields.keys()
    assert {f"ORDERLOOM_{field.upper()}" for field in secured} <= told_to("order")


def test_selectors_find_the_pods_that_are_made_below_them() -> None:
    for resource in [*manifests.resources(manifests.BASE / "a-service"), *EVERYTHING]:
        if resource["kind"] in ("Deployment", "StatefulSet"):
            wanted = resource["spec"]["selector"]["matchLabels"]
            assert wanted.items() <= resource["spec"]["template"]["metadata"]["labels"].items()


def test_services_and_budgets_find_pods_and_their_ports() -> None:
    of_pods = [
        (template["metadata"]["labels"], {port["name"] for port in container_of(template).get("ports", [])})
        for made in ([*TEMPLATES.values()], EVERYTHING)
        for _, template in manifests.pods(made)
    ]
    for resource in [*manifests.resources(manifests.BASE / "a-service"), *EVERYTHING]:
        if resource["kind"] in ("Service", "PodDisruptionBudget"):
            selector = resource["spec"]["selector"]
            selector = selector.get("matchLabels", selector)
            found = [ports for labels, ports in of_pods if selector.items() <= labels.items()]
            assert found, resource
            named = {port.get("targetPort", port["name"]) for port in resource["spec"].get("ports", [])}
            assert all(named <= ports for ports in found)


def test_probes_ask_what_the_chassis_answers_where_it_listens() -> None:
    answered = {getattr(route, "path", None) for route in health_router.routes}
    for what in ("api", "worker"):
        container = container_of(TEMPLATES[what]["spec"]["template"])
        asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}
        assert {name: probe["path"] for name, probe in asked.items()} == {
            "startup": "/healthz",
            "readiness": "/readyz",
            "liveness": "/healthz",
        }
        assert {probe["path"] for probe in asked.values()} <= answered
        assert container["ports"] == [{"name": "http", "containerPort": 8000}]
    settings = manifests.kustomization(manifests.BASE)["configMapGenerator"][0]["literals"]
    assert {"ORDERLOOM_HOST=0.0.0.0", "ORDERLOOM_PORT=8000"} <= set(settings)


def test_a_pod_that_ends_has_time_for_what_it_has_in_hand() -> None:
    statement_seconds = int(SERVER_SETTINGS["statement_timeout"].removesuffix("s"))
    api = TEMPLATES["api"]["spec"]["template"]["spec"]
    taken_out_seconds = container_of(TEMPLATES["api"]["spec"]["template"])["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert api["terminationGracePeriodSeconds"] > taken_out_seconds + GRACE_SECONDS
    worker = TEMPLATES["worker"]["spec"]["template"]["spec"]
    assert worker["terminationGracePeriodSeconds"] > GRACE_SECONDS + CANCEL_AGAIN_SECONDS + statement_seconds


def test_pods_are_restricted_and_have_no_token() -> None:
    for name, template in manifests.pods(EVERYTHING):
        spec, container = template["spec"], container_of(template)
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
        assert container["resources"]["limits"].keys() == {"memory"}, name
        if container["image"] == "docker.io/orderloom/orderloom":
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert spec["securityContext"]["runAsUser"] == 10001, name
    (namespace,) = (each for each in EVERYTHING if each["kind"] == "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_budget_never_forbids_the_only_pod_to_move() -> None:
    budgets = [
        each for each in manifests.resources(manifests.BASE / "a-service") if each["kind"] == "PodDisruptionBudget"
    ]
    assert [budget["spec"]["maxUnavailable"] for budget in budgets] == [1, 1]
    assert min(scaling.APIS_MIN, scaling.WORKERS_MIN) >= 2


def test_no_worker_is_without_a_partition_and_no_process_without_a_connection() -> None:
    assert scaling.WORKERS_MAX <= PARTITIONS
    worker_connections = 4 + 1 + 2  # of the worker, of the relay, of health
    api_connections = service_of("order").settings.model_fields["connections_max"].default
    opened = scaling.APIS_MAX * api_connections + scaling.WORKERS_MAX * worker_connections
    assert opened < databases.CONNECTIONS_MAX


def test_workers_are_scaled_by_every_topic_that_they_read() -> None:
    for name in SERVICES:
        (scaled,) = (
            each
            for each in scaling.resources()
            if each["kind"] == "ScaledObject" and each["metadata"]["name"] == f"{name}-worker"
        )
        triggers = scaled["spec"]["triggers"]
        subscribed = {topic for consumers in service_of(name).heard for topic in consumers.topics}
        assert {trigger["metadata"]["topic"] for trigger in triggers} == subscribed
        assert {trigger["metadata"]["consumerGroup"] for trigger in triggers} == {name}


def test_every_topic_and_every_user_of_the_catalogue_is_made() -> None:
    assert {topic["metadata"]["name"] for topic in strimzi.topics()} == {topic.name for topic in CATALOGUE}
    assert {user["metadata"]["name"] for user in strimzi.users()} == {*SERVICES, ERP, OPERATORS}
    assert {topic["spec"]["partitions"] for topic in strimzi.topics()} == {PARTITIONS}


def test_a_system_outside_gets_a_user_of_its_own() -> None:
    users = {user["metadata"]["name"] for user in strimzi.users(systems=["erp-north", "erp-south"])}
    assert {"erp-north", "erp-south"} <= users
    assert ERP not in users


def test_the_secrets_of_a_trial_are_those_that_it_asks_for() -> None:
    asked = set()
    for _, template in manifests.pods(EVERYTHING):
        for reference in manifests.named("secretKeyRef", template):
            asked |= set() if reference.get("optional") else {(reference["name"], reference["key"])}
        for source in manifests.named("secret", template):
            key = [(source["name"], item["key"]) for item in source.get("items", [])] if "name" in source else []
            asked |= set() if source.get("optional") else set(key)
            asked |= {(source["secretName"], "signing.pem")} if "secretName" in source else set()
    made = {(each["metadata"]["name"], key) for each in secrets.resources() for key in each["stringData"]}
    assert asked <= made
    assert made - asked <= {("gateway-administrator", "password")}  # asked for, and may be deleted later


def test_the_gateway_forwards_to_services_that_there_are_and_alone_has_the_key() -> None:
    for name in SERVICES:
        for what, template in manifests.pods(manifests.of_service(name)):
            has_key = any(volume["name"] == "signing-key" for volume in template["spec"]["volumes"])
            assert has_key == (name == "gateway"), (name, what)
    (api,) = (made for made in manifests.of_service("gateway") if made["metadata"]["name"] == "api")
    (services,) = (env["value"] for env in env_of(api["spec"]["template"]) if env["name"] == "ORDERLOOM_SERVICES")
    assert {url for _, url in re.findall(r'"(\w+)": "([^"]+)"', services)} == {
        f"http://{name}-api:8000" for name in SERVICES if name != "gateway"
    }
