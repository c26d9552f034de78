"""One stack: its parts, their addresses, and what each is run with."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.topics import SERVICES
from orderloom import broker, ports
from orderloom.folder import DataFolder, secret_once
from orderloom.part import Command
from orderloom.postgres import Cluster

PARTS = ("postgres", "kafka", "mail", *SERVICES)
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

    @classmethod
    def of(cls, folder: DataFolder) -> "Stack":
        """Return the stack as it was last started; one whose first start has not got so far has no ports."""
        return cls(folder, ports.load(folder.ports) if (folder.postgres / "cluster").exists() else {})

    @property
    def cluster(self) -> Cluster:
        is_durable = os.environ.get(FSYNC_VARIABLE) != "off"
        return Cluster(self.folder.postgres, self.ports["postgres"], is_durable)

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.ports['kafka']}"

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
        """What runs `part` until it is stopped."""
        if part == "postgres":
            return self.cluster.command()
        if part == "kafka":
            return broker.command(self.ports["kafka"])
        if part == "mail":
            options = ["--port", str(self.ports["mail"]), "--folder", str(self.folder.mail)]
            return Command([sys.executable, "-m", "orderloom.mail", *options])
        return self._service(part, "all")

    def migrations(self) -> dict[str, Command]:
        """What brings the databases up to date and ends, by what its log is named after."""
        if os.environ.get(MODULES_VARIABLE):
            return {service: self._service(service, "migrate") for service in SERVICES}
        urls = {service: _for_sqlalchemy(url) for service, url in self.databases.items()}
        halves = {"migrations-1": SERVICES[::2], "migrations-2": SERVICES[1::2]}
        return {name: _migration({service: urls[service] for service in half}) for name, half in halves.items()}

    def _service(self, service: str, what: str) -> Command:
        modules = MODULES | json.loads(os.environ.get(MODULES_VARIABLE, "{}"))
        return Command([sys.executable, "-m", modules[service], what], self._environment(service))

    def _environment(self, service: str) -> dict[str, str]:
        defaults = {name: os.environ.get(name, value) for name, value in DEFAULTS.items()}
        own = {"notify": self._environment_of_notify, "gateway": self._environment_of_gateway}.get(service, dict)
        return {
            **defaults,
            "PYTHONUNBUFFERED": "1",  # the last lines before a kill are those one wants to read
            "ORDERLOOM_DATABASE_URL": _for_sqlalchemy(self.databases[service]),
            "ORDERLOOM_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "ORDERLOOM_HOST": "127.0.0.1",
            "ORDERLOOM_PORT": str(self.ports[service]),
            "ORDERLOOM_JWKS": str(self.folder.jwks),
            **own(),
        }

    def _environment_of_notify(self) -> dict[str, str]:
        return {
            "ORDERLOOM_SMTP_HOST": "127.0.0.1",
            "ORDERLOOM_SMTP_PORT": str(self.ports["mail"]),
            "ORDERLOOM_GATEWAY_URL": self.url("gateway"),
        }

    def _environment_of_gateway(self) -> dict[str, str]:
        return {
            "ORDERLOOM_SIGNING_KEY": str(self.folder.signing_key),
            "ORDERLOOM_SERVICES": json.dumps({name: self.url(name) for name in SERVICES if name != "gateway"}),
            "ORDERLOOM_ADMIN_PASSWORD": secret_once(self.folder.admin_password),
        }


def _for_sqlalchemy(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


def _migration(urls: dict[str, str]) -> Command:
    return Command([sys.executable, "-m", "orderloom.migrations"], {"ORDERLOOM_DATABASE_URLS": json.dumps(urls)})
