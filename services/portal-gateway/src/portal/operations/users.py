"""Who may sign in."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox
from chassis.versions import Expected
from contracts.roles import ADMINISTRATOR
from portal import passwords, queries
from portal.models import Client, User
from portal.models.user import ClientNotRegistered, EmailUsed, UserIdUsed, UserNotFound
from portal.operations.sign_out import sign_out_everywhere

FIRST_ADMINISTRATOR = "admin"


async def register_user(
    session: AsyncSession,
    *,
    user_id: str,
    name: str,
    email: str | None,
    locale: str,
    roles: Sequence[str],
    client_code: str | None,
    password: str | None,
    now: datetime,
) -> User:
    """Raises `UserIdUsed`, `EmailUsed`, `ClientNotRegistered`, and what `User.register` raises."""
    if await session.get(User, user_id) is not None:
        raise UserIdUsed(f"There is a user {user_id} already.")
    await _check_email(session, email, user_id=user_id)
    user = User.register(
        user_id=user_id,
        name=name,
        email=email,
        locale=locale,
        roles=roles,
        client=await _client(session, client_code),
        password_hash=await passwords.hashed(password) if password else None,
        now=now,
    )
    session.add(user)
    outbox.record_in_directory(session, user.registered)
    queries.READERS.drop(session)
    return user


async def change_user(
    session: AsyncSession,
    *,
    user_id: str,
    name: str,
    email: str | None,
    locale: str,
    roles: Sequence[str],
    client_code: str | None,
    active: bool,
    by: str,
    expected: Expected,
    now: datetime,
) -> User:
    """Replace all but id and password. Who may something else from now on has to sign in again.

    Raises `UserNotFound`, `EmailUsed`, `ClientNotRegistered`, a stale version, and what `User.change` raises.
    """
    user = await _locked(session, user_id)
    expected.check(user.version)
    await _check_email(session, email, user_id=user_id)
    client = await _client(session, client_code)
    before = (user.principal, user.active)
    user.change(name=name, email=email, locale=locale, roles=roles, client=client, active=active, by=by)
    if (user.principal, user.active) != before:
        await sign_out_everywhere(session, user_id, now=now)
    outbox.record_in_directory(session, user.changed)
    queries.READERS.drop(session)
    return user


async def set_password(session: AsyncSession, *, user_id: str, password: str, now: datetime) -> None:
    """Every session of the user ends. Raises `UserNotFound`. No fact: nobody else knows of passwords."""
    password_hash = await passwords.hashed(password)
    user = await _locked(session, user_id)
    user.password_hash = password_hash
    await sign_out_everywhere(session, user_id, now=now)


async def register_first_administrator(session: AsyncSession, *, password: str, now: datetime) -> None:
    """Nothing happens once there is any user, or without a password."""
    # Of two processes that start at once, the second waits here and then sees the first one's administrator.
    await session.execute(text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))
    if not password or await queries.has_users(session):
        return
    await register_user(
        session,
        user_id=FIRST_ADMINISTRATOR,
        name="Administrator",
        email=None,
        locale="zh-CN",
        roles=[ADMINISTRATOR],
        client_code=None,
        password=password,
        now=now,
    )


async def _locked(session: AsyncSession, user_id: str) -> User:
    user = await session.get(User, user_id, with_for_update=True)
    if user is None:
        raise UserNotFound(f"There is no user {user_id}.")
    return user


async def _check_email(session: AsyncSession, email: str | None, *, user_id: str) -> None:
    other = await queries.user_of_email(session, email) if email else None
    if other is not None and other.user_id != user_id:
        raise EmailUsed(f"User {other.user_id} has this e-mail address: everyone needs their own.")


async def _client(session: AsyncSession, code: str | None) -> Client | None:
    if code is None:
        return None
    client = await queries.client_of_code(session, code)
    if client is None:
        raise ClientNotRegistered(f"No company {code} is known here yet: register it, or place its first order.")
    return client


async def change_own_locale(session: AsyncSession, *, user_id: str, locale: str) -> User:
    """Raises `UserNotFound`, `UnknownLanguage`."""
    user = await _locked(session, user_id)
    if user.speak(locale):
        outbox.record_in_directory(session, user.changed)
        queries.READERS.drop(session)
    return user
