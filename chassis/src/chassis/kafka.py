"""How a process reaches the brokers, and who it is to them. The same for services and for tools."""

import ssl
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import SecretStr, field_validator, model_validator

from chassis.environment import Told, variable


class KafkaSettings(Told):
    """What a process is told of the bus."""

    kafka_bootstrap_servers: str
    """Some brokers, by which the others are found: `host:port`, with commas between."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """Whether brokers are spoken to in TLS, and whether one signs in."""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How one signs in."""
    kafka_sasl_username: str = ""
    """Who signs in. The access lists name services by it."""
    kafka_sasl_password: SecretStr = SecretStr("")
    """Of that user."""
    kafka_ca_file: Path | None = None
    """Whose certificates the brokers' are checked against; without it, those that the system trusts."""
    kafka_certificate_file: Path | None = None
    """Of this process, where the brokers ask for one; with `kafka_key_file`."""
    kafka_key_file: Path | None = None
    """The private key of `kafka_certificate_file`, in PEM, readable for this process."""

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _are_addresses(cls, servers: str) -> str:
        for server in servers.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdigit():
                raise ValueError("write each broker as host:port, with commas between")
        return servers

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.uses_sasl and not (self.kafka_sasl_username and self.kafka_sasl_password.get_secret_value()):
            needed = f"{variable('kafka_sasl_username')} and {variable('kafka_sasl_password')}"
            raise ValueError(f"{variable('kafka_security_protocol')}={self.kafka_security_protocol} needs {needed}")
        if (self.kafka_certificate_file is None) != (self.kafka_key_file is None):
            both = f"{variable('kafka_certificate_file')} and {variable('kafka_key_file')}"
            raise ValueError(f"name both {both}, or neither")
        return self

    @property
    def uses_sasl(self) -> bool:
        return self.kafka_security_protocol.startswith("SASL")

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        """None for brokers that are spoken to in the clear."""
        if not self.kafka_security_protocol.endswith("SSL"):
            return None
        context = ssl.create_default_context(cafile=self.kafka_ca_file)
        if self.kafka_certificate_file is not None:
            context.load_cert_chain(self.kafka_certificate_file, self.kafka_key_file)
        return context

    @property
    def client_options(self) -> dict[str, Any]:
        """For every client of aiokafka: producer, consumer, administrator."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.kafka_bootstrap_servers,
            "security_protocol": self.kafka_security_protocol,
            "ssl_context": self.ssl_context,
        }
        if self.uses_sasl:
            options |= {
                "sasl_mechanism": self.kafka_sasl_mechanism,
                "sasl_plain_username": self.kafka_sasl_username,
                "sasl_plain_password": self.kafka_sasl_password.get_secret_value(),
            }
        return options
