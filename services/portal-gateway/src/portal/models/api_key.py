"""Keys by which systems outside act."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from chassis.errors import Invalid, NotFound
from chassis.ids import new_id
from chassis.principal import Principal
from contracts.topics import OURS
from portal.models.model import Model


class ApiKeyNotFound(NotFound): ...


class SystemNameReserved(Invalid): ...


class ApiKey(Model):
    """Lets a system act with `scopes`. Only a hash of it is kept: it is shown once, when it is made."""

    __tablename__ = "api_keys"

    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    prefix: Mapped[str]
    """The beginning of the key, by which people recognise it."""
    sha256: Mapped[str] = mapped_column(unique=True)
    """A key holds 256 random bits: nobody guesses it from a fast hash."""
    system: Mapped[str]
    scopes: Mapped[list[Any]]
    created_by: Mapped[str]
    created_at: Mapped[datetime]

    @classmethod
    def issue(cls, *, system: str, scopes: Sequence[str], by: str, now: datetime) -> tuple["ApiKey", str]:
        """The key as it is kept, and as its system will send it. Raises `SystemNameReserved`."""
        if system in OURS:
            raise SystemNameReserved(f"{system} names a part of Orderloom: choose another name for the system.")
        prefix = f"olk_{secrets.token_hex(4)}"
        secret = f"{prefix}_{secrets.token_urlsafe(32)}"
        key = cls(
            key_id=new_id(),
            prefix=prefix,
            sha256=sha256(secret),
            system=system,
            scopes=list(dict.fromkeys(scopes)),
            created_by=by,
            created_at=now,
        )
        return key, secret

    @property
    def principal(self) -> Principal:
        return Principal(user_id=self.system, kind="integration", roles=frozenset(self.scopes))


def sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
