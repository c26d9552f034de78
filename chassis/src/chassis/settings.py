"""What a process is told by its environment, each name under `ORDERLOOM_`."""

import hashlib
from pathlib import Path
from typing import Literal, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import SecretStr, model_validator
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
    token_audience: str = "orderloom"
    host: str = "127.0.0.1"
    port: int = 8000
    zone: str = "Asia/Shanghai"
    """The company's time zone: business dates are dates there. The same for all services."""
    topic_prefix: str = ""
    """Before every topic and group, so that several stacks can share one broker."""
    kafka_idempotent_producer: bool = False
    """On with Apache Kafka; the embedded broker knows no idempotent producers."""
    fetch_max_wait_ms: int = 25
    """For the embedded broker, which does not wake a waiting fetch. On Apache Kafka: 500."""
    session_timeout_ms: int = 10_000
    """After this long without a sign of life, a consumer's partitions go to another."""
    one_statement_flush: bool = True
    """Off, new rows leave as the ORM would write them: slower, and the way out when `chassis.flush` refuses one."""
    connections_max: int = 10
    """Of the requests' pool. The worker and the relay have connections of their own."""
    database_bytes_max: int = 0
    """How large the database may become, for the alert that comes before. 0: nobody knows."""
    requests_max: int = 200
    """In hand at once in one process; one more is answered 503 with `Retry-After`."""
    body_bytes_max: int = 8 * 1024 * 1024
    """Of one request; a larger one is answered 413."""
    trace_ratio: float = 0.05
    """The share of requests that are traced, decided at the first span."""
    otlp_endpoint: str = ""
    """Where traces go, like `http://collector:4318`. Empty: nowhere."""
    log_level: str = "INFO"
    migrations: Path | None = None
    """The service's Alembic folder, where it is not beside the service's source."""
    environment: Literal["production", "trial"] = "production"
    failpoints: Path | None = None
    """Of a trial only: the folder of `chassis.failpoints`."""

    @model_validator(mode="after")
    def _kills_nothing_in_production(self) -> Self:
        if self.failpoints is not None and self.environment != "trial":
            raise ValueError("ORDERLOOM_FAILPOINTS kills processes: only ORDERLOOM_ENVIRONMENT=trial may have it")
        return self

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
