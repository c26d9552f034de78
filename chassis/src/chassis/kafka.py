"""How a process reaches the brokers, and who it is to them. The same for services and for tools."""

import ssl
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import SecretStr, model_validator

from chassis.environment import Told


class KafkaSettings(Told):
    """What a process is told of the bus."""

    kafka_bootstrap_servers: str
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str = ""
    kafka_sasl_password: SecretStr = SecretStr("")
    kafka_ca_file: Path | None = None
    """Whose certificates the brokers' are checked against; without it, those that the system trusts."""
    kafka_certificate_file: Path | None = None
    """Of this process, where the brokers ask for one; with `kafka_key_file`."""
    kafka_key_file: Path | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.uses_sasl and not (self.kafka_sasl_username and self.kafka_sasl_password.get_secret_value()):
            raise ValueError(f"{self.kafka_security_protocol} needs kafka_sasl_username and kafka_sasl_password")
        if (self.kafka_certificate_file is None) != (self.kafka_key_file is None):
            raise ValueError("name both kafka_certificate_file and kafka_key_file, or neither")
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
