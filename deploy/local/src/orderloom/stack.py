"""One stack: its parts, their addresses, and what each is run with."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from chassis.kafka import KafkaSettings
from contracts.topics import SERVICES
from orderloom import apache_kafka, broker, ports, tansu
from orderloom.broker import Broker
from orderloom.folder import DataFolder, secret_once
from orderloom.part import Command
from orderloom.postgres import Cluster

MODULES = {
    "order": "order.app",
    "project": "project.app",
    "finance": "finance.app",
    "notify": "notify.app",
    "gateway": "portal.app",
}
MODULES_VARIABLE = "ORDERLOOM_MODULES"
"""A JSON object that puts other modules in place of MODULES: how the tests of this package run stand-ins."""

FSYNC_VARIABLE = "ORDERLOOM_FSYNC"
"""`off` spares tests the waiting for the disk."""

DEFAULTS = {
    "ORDERLOOM_ZONE": "Asia/Shanghai",
    "ORDERLOOM_TRACE_RATIO": "0.05",
    "ORDERLOOM_LOG_LEVEL": "WARNING",
    "ORDERLOOM_SESSION_TIMEOUT_MS": "6000",  # the embedded broker lets a group form after half of it
}
"""Unless the environment of `orderloom up` says otherwise."""


@dataclass(frozen=True)
class Stack:
    folder: DataFolder
    ports: Mapping[str, int]
    broker: Broker
    is_apart: bool = False
    """The API and the worker of each service run in processes of their own, as ops deploy them."""

    @classmethod
    def of(cls, folder: DataFolder) -> "Stack":
        """Return the stack as it was last started; one whose first start has not got so far has no ports."""
        known = ports.load(folder.ports) if (folder.postgres / "cluster").exists() else {}
        return cls(folder, known, broker.load(folder.broker), folder.apart.exists())

    @property
    def parts(self) -> tuple[str, ...]:
        return ("postgres", "kafka", "mail", *self.services)

    @property
    def services(self) -> tuple[str, ...]:
        """The parts that are processes of our services."""
        return (*SERVICES, *ports.WORKERS) if self.is_apart else SERVICES

    @property
    def workers(self) -> tuple[str, ...]:
        """The parts that are on the bus."""
        return ports.WORKERS if self.is_apart else SERVICES

    @property
    def cluster(self) -> Cluster:
        is_durable = os.environ.get(FSYNC_VARIABLE) != "off"
        return Cluster(self.folder.postgres, self.ports["postgres"], is_durable)

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.ports['kafka']}" if self.broker.is_ours else self.broker.address

    @property
    def kafka(self) -> KafkaSettings:
        """How tools reach the broker."""
        return self.broker.reached_at(self.bootstrap_servers)

    @property
    def apache_kafka(self) -> apache_kafka.Node:
        return apache_kafka.Node(self.folder.kafka, self.ports["kafka"], self.ports["kafka-controller"])

    @property
    def addresses(self) -> dict[str, str]:
        """For people and tools, those for which one looks first coming first."""
        if not self.ports:
            return {}
        return {
            "gateway": self.url("gateway"),
            "kafka": self.bootstrap_servers,
            "postgres": self.cluster.url(),
            "mail": f"smtp://127.0.0.1:{self.ports['mail']}",
            **{service: self.url(service) for service in SERVICES if service != "gateway"},
        }

    @property
    def databases(self) -> dict[str, str]:
        """A postgresql:// URL per service."""
        return {service: self.cluster.url(service) for service in SERVICES}

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def command(self, part: str) -> Command:
        """What runs `part` until it is stopped. A broker that runs elsewhere is not ours to run."""
        if part == "postgres":
            return self.cluster.command()
        if part == "kafka":
            return tansu.command(self.ports["kafka"]) if self.broker.forgets else self.apache_kafka.command()
        if part == "mail":
            options = ["--port", str(self.ports["mail"]), "--folder", str(self.folder.mail)]
            return Command([sys.executable, "-m", "orderloom.mail", *options])
        if part in ports.WORKERS:
            return self._service(part.removesuffix("-worker"), "worker", self.ports[part])
        return self._service(part, "api" if self.is_apart else "all")

    def tool(self, service: str, name: str) -> Command:
        """What a service's own command does once, like `forgotten`."""
        return self._service(service, name)

    def migrations(self) -> dict[str, Command]:
        """What brings the databases up to date and ends, by what its log is named after."""
        if os.environ.get(MODULES_VARIABLE):
            return {service: self._service(service, "migrate") for service in SERVICES}
        urls = {service: _for_sqlalchemy(url) for service, url in self.databases.items()}
        halves = {"migrations-1": SERVICES[::2], "migrations-2": SERVICES[1::2]}
        return {name: _migration({service: urls[service] for service in half}) for name, half in halves.items()}

    def _service(self, service: str, what: str, port: int | None = None) -> Command:
        modules = MODULES | json.loads(os.environ.get(MODULES_VARIABLE, "{}"))
        environment = self._environment(service, port or self.ports[service])
        return Command([sys.executable, "-m", modules[service], what], environment)

    def _environment(self, service: str, port: int) -> dict[str, str]:
        defaults = {name: os.environ.get(name, value) for name, value in DEFAULTS.items()}
        own = {"notify": self._environment_of_notify, "gateway": self._environment_of_gateway}.get(service, dict)
        return {
            **defaults,
            "PYTHONUNBUFFERED": "1",  # the last lines before a kill are those one wants to read
            "ORDERLOOM_DATABASE_URL": _for_sqlalchemy(self.databases[service]),
            "ORDERLOOM_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            **{f"ORDERLOOM_{name.upper()}": value for name, value in self.broker.client_settings.items()},
            "ORDERLOOM_HOST": "127.0.0.1",
            "ORDERLOOM_PORT": str(port),
            "ORDERLOOM_JWKS": str(self.folder.jwks),
            **own(),
        }

    def _environment_of_notify(self) -> dict[str, str]:
        return {
            "ORDERLOOM_SMTP_HOST": "127.0.0.1",
            "ORDERLOOM_SMTP_PORT": str(self.ports["mail"]),
            "ORDERLOOM_SMTP_CONNECTIONS": "8",
            "ORDERLOOM_GATEWAY_URL": self.url("gateway"),
        }

    def _environment_of_gateway(self) -> dict[str, str]:
        return {
            "ORDERLOOM_SIGNING_KEY": str(self.folder.signing_key),
            "ORDERLOOM_MORE_KEYS": str(self.folder.jwks),
            "ORDERLOOM_SERVICES": json.dumps({name: self.url(name) for name in SERVICES if name != "gateway"}),
            "ORDERLOOM_ADMIN_PASSWORD": secret_once(self.folder.admin_password),
        }


def _for_sqlalchemy(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


def _migration(urls: dict[str, str]) -> Command:
    return Command([sys.executable, "-m", "orderloom.migrations"], {"ORDERLOOM_DATABASE_URLS": json.dumps(urls)})
