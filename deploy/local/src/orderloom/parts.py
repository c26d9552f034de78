"""The real parts for tests: PostgreSQL and a Kafka broker, in a temporary folder, gone when the tests are done.

Which ones, each for itself: the server named by ORDERLOOM_TEST_POSTGRES or ORDERLOOM_TEST_KAFKA, else a container where
a Docker engine answers, else the embedded one. ORDERLOOM_TEST_BROKER=apache runs an Apache Kafka instead.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chassis.kafka import KafkaSettings
from contracts.topics import PARTITIONS_EMBEDDED
from orderloom import apache_kafka, ports, postgres, tansu
from orderloom.broker import Broker
from orderloom.part import STOP_SECONDS, Command
from orderloom.topics import create_topics

START_SECONDS = 30.0
POLL_SECONDS = 0.02
DOCKER_SECONDS = 2


@dataclass(frozen=True)
class Parts:
    """Where the parts are. `postgres_url` (postgresql://…) may create databases."""

    postgres_url: str
    bootstrap_servers: str
    broker: Broker

    @property
    def kafka(self) -> KafkaSettings:
        return self.broker.reached_at(self.bootstrap_servers)

    @property
    def kafka_settings(self) -> dict[str, Any]:
        """What a service is told of the broker."""
        named = {name: value for name, value in self.broker.client_settings.items() if name != "topic_prefix"}
        return named | {"kafka_bootstrap_servers": self.bootstrap_servers}

    async def create_database(self, name: str) -> str:
        """Create it unless it is there, and return its URL for SQLAlchemy on asyncpg."""
        await postgres.create_databases(self.postgres_url, (name,))
        return urlsplit(self.postgres_url)._replace(scheme="postgresql+asyncpg", path=f"/{name}").geturl()

    async def create_topics(self, prefix: str) -> None:
        """Create the catalogue's topics with `prefix` before their names, unless they are there."""
        await create_topics(self.kafka, partitions=PARTITIONS_EMBEDDED, prefix=prefix)


@contextmanager
def running_parts() -> Iterator[Parts]:
    """Start what is not already there, and stop what was started."""
    with ExitStack() as running:
        postgres_url = os.environ.get("ORDERLOOM_TEST_POSTGRES")
        bootstrap_servers = os.environ.get("ORDERLOOM_TEST_KAFKA")
        is_apache = os.environ.get("ORDERLOOM_TEST_BROKER") == "apache"
        is_docker = not (postgres_url and (bootstrap_servers or is_apache)) and _docker_answers()
        a_broker = running_apache_kafka if is_apache else _kafka_container if is_docker else _embedded_broker
        yield Parts(
            postgres_url
            or running.enter_context(_postgres_container() if is_docker else _embedded_postgres(is_durable=False)),
            bootstrap_servers or running.enter_context(a_broker()),
            Broker("apache" if bootstrap_servers or is_apache or is_docker else "embedded"),
        )


@contextmanager
def running_apache_kafka(**more: Any) -> Iterator[str]:
    """An Apache Kafka of its own, with `properties` and `users` over ours; its address."""
    port, controller_port = ports.choose(set()), ports.choose(set())
    with tempfile.TemporaryDirectory(prefix="orderloom-kafka-") as folder:
        node = apache_kafka.Node(Path(folder), port, controller_port, **more)
        node.prepare()
        with _running(node.command(), lambda _: ports.is_listening(port)):
            yield f"127.0.0.1:{port}"


@contextmanager
def embedded_parts() -> Iterator[Parts]:
    """The embedded ones whatever else there is, waiting for the disk as in a stack: what a figure is taken on."""
    with _embedded_postgres(is_durable=True) as postgres_url, _embedded_broker() as bootstrap_servers:
        yield Parts(postgres_url, bootstrap_servers, Broker())


@contextmanager
def _embedded_postgres(*, is_durable: bool) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="orderloom-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user when we are root
        cluster = postgres.Cluster(Path(folder) / "postgres", ports.choose(set()), is_durable)
        cluster.prepare()
        with _running(cluster.command(), lambda process: cluster.is_ready(process.pid)):
            yield cluster.url()


@contextmanager
def _embedded_broker() -> Iterator[str]:
    port = ports.choose(set())
    with _running(tansu.command(port), lambda _: ports.is_listening(port)):
        yield f"127.0.0.1:{port}"


@contextmanager
def _running(command: Command, is_ready: Callable[[subprocess.Popen[bytes]], bool]) -> Iterator[None]:
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command.arguments, cwd=command.folder, stdout=output, stderr=output, process_group=0, **command.ownership
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not is_ready(process):
                if process.poll() is not None or time.monotonic() > deadline:
                    output.seek(0)
                    raise RuntimeError(f"{command.arguments[0]} did not start: {output.read().decode()}")
                time.sleep(POLL_SECONDS)
            yield
        finally:
            process.send_signal(command.stop_signal)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _docker_answers() -> bool:
    try:
        import docker

        return bool(docker.from_env(timeout=DOCKER_SECONDS).ping())
    except Exception:  # no package, no engine, no permission: all the same to us
        return False


@contextmanager
def _postgres_container() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer

    with PostgresContainer("postgres:18") as container:
        yield container.get_connection_url(driver=None)


@contextmanager
def _kafka_container() -> Iterator[str]:
    from testcontainers.community.kafka import KafkaContainer

    with KafkaContainer().with_kraft() as container:
        yield container.get_bootstrap_server()
