"""People who may sign in, and the attempts to do so that failed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from chassis.errors import Conflict, Invalid, NotFound, Refusal
from chassis.principal import Principal
from contracts.directory import UserChanged, UserRegistered
from contracts.roles import ADMINISTRATOR, CLIENT
from portal.models.directory import Client
from portal.models.model import Model

LOCALES = ("zh-CN", "en")


class UserNotFound(NotFound): ...


class UserIdUsed(Conflict): ...


class EmailUsed(Conflict): ...


class ClientNotRegistered(Invalid):
    """No fact about a company of that code has been heard."""


class RolesOfAClientPerson(Invalid):
    """A client person sees one company's orders and does nothing else."""


class UnknownLanguage(Invalid):
    """Nothing is written in it."""


class OwnAdministrationKept(Conflict):
    """Somebody must stay who can let people in."""


class User(Model):
    """A person of the company, or of the client company `client_id`."""

    __tablename__ = "users"

    user_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)
    """In lower case."""
    locale: Mapped[str]
    roles: Mapped[list[Any]]
    client_id: Mapped[UUID | None]
    client_code: Mapped[str | None]
    active: Mapped[bool]
    password_hash: Mapped[str | None]
    """Argon2id. Without one, nobody can sign in as this person."""
    registered_at: Mapped[datetime]

    @classmethod
    def register(
        cls,
        *,
        user_id: str,
        name: str,
        email: str | None,
        locale: str,
        roles: Sequence[str],
        client: Client | None,
        password_hash: str | None,
        now: datetime,
    ) -> "User":
        """Raises `RolesOfAClientPerson`."""
        user = cls(user_id=user_id, version=1, password_hash=password_hash, registered_at=now)
        user._write(name=name, email=email, locale=locale, roles=roles, client=client, active=True)
        return user

    def change(
        self,
        *,
        name: str,
        email: str | None,
        locale: str,
        roles: Sequence[str],
        client: Client | None,
        active: bool,
        by: str,
    ) -> None:
        """Replace everything but the id and the password. Raises `RolesOfAClientPerson`, `OwnAdministrationKept`."""
        if by == self.user_id and not (active and ADMINISTRATOR in roles):
            raise OwnAdministrationKept("Let another administrator take your role or your access from you.")
        self._write(name=name, email=email, locale=locale, roles=roles, client=client, active=active)
        self.version += 1

    def speak(self, locale: str) -> bool:
        """Whether that is another language than until now. Raises `UnknownLanguage`."""
        if locale not in LOCALES:
            raise UnknownLanguage(f"Choose one of {', '.join(LOCALES)}.")
        if locale == self.locale:
            return False
        self.locale, self.version = locale, self.version + 1
        return True

    def _write(
        self, *, name: str, email: str | None, locale: str, roles: Sequence[str], client: Client | None, active: bool
    ) -> None:
        unique = list(dict.fromkeys(roles))
        if (client is not None) != (CLIENT in unique) or (client is not None and unique != [CLIENT]):
            raise RolesOfAClientPerson(f"Give a person of a client company a client_code and the one role {CLIENT}.")
        self.name, self.email, self.locale = name, email.lower() if email else None, locale
        self.roles, self.active = unique, active
        self.client_id, self.client_code = (client.client_id, client.code) if client else (None, None)

    @property
    def principal(self) -> Principal:
        """Who this person is to every service."""
        kind = "client" if self.client_id else "user"
        return Principal(user_id=self.user_id, kind=kind, roles=frozenset(self.roles), client_id=self.client_id)

    @property
    def registered(self) -> UserRegistered:
        return UserRegistered.model_validate(self, from_attributes=True)

    @property
    def changed(self) -> UserChanged:
        return UserChanged.model_validate(self, from_attributes=True)


FAILURES_MAX = 10
FAILURES_FORGOTTEN_AFTER = timedelta(minutes=5)


class TooManyFailures(Refusal):
    """Whoever guesses has to wait."""

    status = 429

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SignInAttempts(Model):
    """How often someone tried to sign in under a name, known or not, and has not succeeded since."""

    __tablename__ = "sign_in_attempts"

    name: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    first_at: Mapped[datetime] = mapped_column(index=True)

    def another(self, *, now: datetime) -> None:
        """Count one more. Raises `TooManyFailures` after ten within five minutes."""
        free_at = self.first_at + FAILURES_FORGOTTEN_AFTER
        if now >= free_at:
            self.count, self.first_at = 0, now
        elif self.count >= FAILURES_MAX:
            seconds = ceil((free_at - now).total_seconds())
            raise TooManyFailures(f"Try again in {seconds} seconds.", retry_after_seconds=seconds)
        self.count += 1
