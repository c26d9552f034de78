"""What a process is told by its environment, each name under `ORDERLOOM_`."""

import hashlib
from pathlib import Path
from typing import Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.kafka import KafkaSettings


class ServiceSettings(KafkaSettings):
    """What every service is told. A process runs one service, so the names need no service in them."""

    database_url: SecretStr
    """`postgresql+asyncpg://…`; one database per service. Holds a password."""
    idempotency_secret: SecretStr = SecretStr("")
    """With it, requests are remembered that nobody can guess from the database. Empty: derived from `database_url`."""
    jwks: str = ""
    """A file or an http(s) address with the public keys of the tokens that are trusted."""
    token_issuer: str = "orderloom"
    """Who signs the tokens that are trusted: their `iss`."""
    token_audience: str = "orderloom"
    """Whom such tokens are for: their `aud`."""
    host: str = "127.0.0.1"
    """The address to listen on; in a container `0.0.0.0`."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Of the API, and of `/healthz`, `/readyz` and `/metrics`, which a worker answers too. 0: any that is free."""
    zone: str = "Asia/Shanghai"
    """The company's time zone: business dates are dates there. The same for all services."""
    topic_prefix: str = ""
    """Before every topic and group, so that several stacks can share one broker."""
    kafka_idempotent_producer: bool = False
    """On with Apache Kafka; the embedded broker knows no idempotent producers."""
    fetch_max_wait_ms: int = Field(default=25, ge=1)
    """For the embedded broker, which does not wake a waiting fetch. On Apache Kafka: 500."""
    session_timeout_ms: int = Field(default=10_000, ge=1_000)
    """After this long without a sign of life, a consumer's partitions go to another."""
    one_statement_flush: bool = True
    """Off, new rows leave as the ORM would write them: slower, and the way out when `chassis.flush` refuses one."""
    connections_max: int = Field(default=10, ge=1)
    """Of the requests' pool. The worker and the relay have connections of their own."""
    database_bytes_max: int = Field(default=0, ge=0)
    """How large the database may become, for the alert that comes before. 0: nobody knows."""
    requests_max: int = Field(default=200, ge=1)
    """In hand at once in one process; one more is answered 503 with `Retry-After`."""
    body_bytes_max: int = Field(default=8 * 1024 * 1024, ge=1024)
    """Of one request; a larger one is answered 413."""
    trace_ratio: float = Field(default=0.05, ge=0, le=1)
    """The share of requests that are traced, decided at the first span."""
    otlp_endpoint: str = ""
    """Where traces go, like `http://collector:4318`. Empty: nowhere."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """What is less than this is not logged."""
    migrations: Path | None = None
    """The service's Alembic folder, where it is not beside the service's source."""
    environment: Literal["production", "trial"] = "production"
    """`trial` allows `failpoints`, and nothing else."""
    failpoints: Path | None = None
    """Of a trial only: the folder of `chassis.failpoints`."""

    @model_validator(mode="after")
    def _kills_nothing_in_production(self) -> Self:
        if self.failpoints is not None and self.environment != "trial":
            raise ValueError("ORDERLOOM_FAILPOINTS kills processes: only ORDERLOOM_ENVIRONMENT=trial may have it")
        return self

    @field_validator("database_url")
    @classmethod
    def _is_of_our_driver(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith("postgresql+asyncpg://"):
            raise ValueError("write it as postgresql+asyncpg://user:password@host:port/database")
        return url

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, OSError, ValueError) as reason:  # a folder's name, or none that can be one
            raise ValueError("write an IANA time zone, like Europe/Berlin") from reason
        return zone

    @property
    def idempotency_key(self) -> bytes:
        """Of the HMACs of requests. Known to the processes of a service, and to no database."""
        secret = self.idempotency_secret.get_secret_value() or self.database_url.get_secret_value()
        return hashlib.sha256(f"idempotency {secret}".encode()).digest()

    @property
    def company_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


S = TypeVar("S", bound=ServiceSettings)


def settings_of(session: AsyncSession, settings_class: type[S]) -> S:
    """The settings of the service whose transaction this is."""
    settings = session.info["shared"]["settings"]
    assert isinstance(settings, settings_class)
    return settings
