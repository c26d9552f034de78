"""Apache Kafka on one machine: its jars by Maven, one process that is broker and controller, its log in a folder."""

import base64
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from orderloom.folder import write_private
from orderloom.part import Command

VERSION = "4.3.0"
LIBRARIES = Path(sys.prefix) / "kafka" / VERSION
"""Beside the Python packages of this environment: fetched once, shared by every stack that it runs."""
HEAP = "512m"
FETCH_SECONDS = 600


class ApacheKafkaMissing(Exception):
    """What is needed to run it is not on this machine; the message says what to install."""


@dataclass(frozen=True)
class Node:
    """One broker that is its own controller, listening on the loopback `port`.

    `properties` are put over ours, under Kafka's own names. `users` may sign in by SCRAM-SHA-512: passwords by name.
    """

    folder: Path
    port: int
    controller_port: int
    protocol: str = "PLAINTEXT"
    """How clients speak to it, by Kafka's name; the listener of a secured one is called SECURED."""
    properties: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Fetch the jars and format the log's folder, each once. Raise ApacheKafkaMissing."""
        fetch_libraries()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_private(self._configuration, "".join(f"{name}={value}\n" for name, value in self._properties().items()))
        if not (self._log / "meta.properties").exists():
            shutil.rmtree(self._log, ignore_errors=True)  # an earlier attempt that did not get to its end
            self._format()

    def command(self) -> Command:
        """What runs the broker, once it is prepared."""
        return Command(tool("kafka.Kafka", str(self._configuration)))

    @property
    def _configuration(self) -> Path:
        return self.folder / "server.properties"

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _format(self) -> None:
        options = ["--standalone", "-t", _random_id(), "-c", str(self._configuration)]
        for name, password in self.users.items():
            options += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        subprocess.run(tool("kafka.tools.StorageTool", "format", *options), check=True, stdout=subprocess.DEVNULL)

    def _properties(self) -> dict[str, str]:
        controller, broker = f"127.0.0.1:{self.controller_port}", f"127.0.0.1:{self.port}"
        listener = "PLAINTEXT" if self.protocol == "PLAINTEXT" else "SECURED"
        replicas = {f"{topic}.replication.factor": "1" for topic in ("offsets.topic", "transaction.state.log")}
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": controller,
            "controller.listener.names": "CONTROLLER",
            "listeners": f"{listener}://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"{listener}://{broker}",
            "inter.broker.listener.name": listener,
            "listener.security.protocol.map": f"{listener}:{self.protocol},CONTROLLER:PLAINTEXT",
            "log.dirs": str(self._log),
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.num.partitions": "5",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            **replicas,
            **self.properties,
        }


def fetch_libraries() -> Path:
    """Return the folder of the jars, by Maven when they are not there yet. Raise ApacheKafkaMissing."""
    if not LIBRARIES.exists():
        for program, package in (("java", "a Java runtime, 17 or newer"), ("mvn", "Apache Maven")):
            if shutil.which(program) is None:
                raise ApacheKafkaMissing(f"Apache Kafka needs {package}: `{program}` is not on the path.")
        fresh = LIBRARIES.with_name(f"{VERSION}.{os.getpid()}")
        fresh.mkdir(parents=True)
        with resources.as_file(resources.files("orderloom") / "apache_kafka.pom.xml") as pom:
            fetch = ["mvn", "-q", "-B", "-f", str(pom), f"-Dkafka.version={VERSION}", "dependency:copy-dependencies"]
            fetched = subprocess.run([*fetch, f"-DoutputDirectory={fresh}"], timeout=FETCH_SECONDS, check=False)
        if fetched.returncode:
            shutil.rmtree(fresh)
            raise ApacheKafkaMissing(f"Maven could not fetch Apache Kafka {VERSION}: see its messages above.")
        try:
            fresh.rename(LIBRARIES)
        except OSError:  # another stack of this environment was faster
            shutil.rmtree(fresh)
    return LIBRARIES


def tool(main_class: str, *arguments: str) -> list[str]:
    """What runs one of Kafka's own programs, once the jars are there."""
    logging = Path(__file__).with_name("apache_kafka.log4j2.properties")
    java = ["java", f"-Xmx{HEAP}", f"-Dlog4j2.configurationFile={logging}", "-cp", f"{LIBRARIES}/*"]
    return [*java, main_class, *arguments]


def _random_id() -> str:
    """As Kafka writes the id of a cluster. It must not look like an option."""
    while (written := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[:22]).startswith("-"):
        pass
    return written
