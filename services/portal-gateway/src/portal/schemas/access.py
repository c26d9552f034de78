"""Signing in, users and API keys."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.strict import Code, Text
from portal.passwords import CHARACTERS_MAX, CHARACTERS_MIN
from portal.schemas import In, Out

Name = Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,64}$")]
Email = Annotated[Text, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
Locale = Literal["zh-CN", "en"]
Role = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""Never a scope: those have a colon."""
Roles = Annotated[list[Role], Field(max_length=50)]
NewPassword = Annotated[str, Field(min_length=CHARACTERS_MIN, max_length=CHARACTERS_MAX)]


class SignInIn(In):
    user: Text
    """A user's id or e-mail address."""
    password: Annotated[str, Field(min_length=1, max_length=CHARACTERS_MAX)]


class SignedInUserOut(Out):
    user_id: str
    name: str
    kind: str
    locale: str
    roles: list[str]
    client_id: UUID | None
    client_code: str | None


class TokenOut(Out):
    token: str
    expires_in: int
    """Seconds."""
    csrf: str
    """For the header `X-Orderloom-Csrf` of whoever changes something by the cookie instead of the token."""
    user: SignedInUserOut


class PrincipalOut(Out):
    user_id: str
    kind: str
    roles: list[str]
    client_id: UUID | None
    name: str | None
    locale: str | None


class UserIn(In):
    name: Text
    email: Email | None = None
    locale: Locale
    roles: Roles
    client_code: Code | None = None


class NewUserIn(UserIn):
    user_id: Name
    password: NewPassword | None = None


class ChangedUserIn(UserIn):
    active: bool


class PasswordIn(In):
    password: NewPassword


class OwnPasswordIn(In):
    present_password: Annotated[str, Field(min_length=1, max_length=CHARACTERS_MAX)]
    new_password: NewPassword


class UserOut(Out):
    user_id: str
    version: int
    name: str
    email: str | None
    locale: str
    roles: list[str]
    client_id: UUID | None
    client_code: str | None
    active: bool
    registered_at: dt.datetime


class ApiKeyIn(In):
    system: Name
    scopes: Annotated[list[Literal["orders:write", "orders:read"]], Field(min_length=1)]


class ApiKeyOut(Out):
    key_id: UUID
    prefix: str
    system: str
    scopes: list[str]
    created_by: str
    created_at: dt.datetime


class IssuedApiKeyOut(ApiKeyOut):
    key: str
    """Shown now and never again."""
