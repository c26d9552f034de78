from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the gateway is told by its environment."""

    signing_key: Path
    """The Ed25519 key (PKCS 8, PEM) that tokens are signed with; `jwks` holds its public half."""
    more_keys: Path | None = None
    """A key set (JWKS) whose keys are trusted beside that one's public half: of the key that will sign next, and of the
    one that signed until now. Read whenever it is needed. See the runbook on rotation."""
    services: Mapping[str, str] = Field(default_factory=dict)
    """By name, the address of each service whose API is forwarded to."""
    admin_password: SecretStr = SecretStr("")
    """Of the first administrator, `admin`, who is made when there is no user yet. Empty: none is made."""
    cookies_need_https: bool = False
    """On wherever people reach the gateway over https alone."""
    streams_max: int = Field(default=1_000, ge=0)
    """Pages that are live at once in one process; one more works without, and is told so."""
