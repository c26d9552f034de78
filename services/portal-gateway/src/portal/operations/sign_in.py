"""Proving who one is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import Database
from chassis.errors import Refusal
from portal import passwords, queries
from portal.models import SignInAttempts, User
from portal.models.user import FAILURES_FORGOTTEN_AFTER
from portal.signing import Signer, Token


class WrongNameOrPassword(Refusal):
    """Which of the two is not said."""

    status = 401


class NobodyYet(Refusal):
    """The first administrator is being made in these seconds, or nobody said with which password."""

    status = 503


@dataclass(frozen=True)
class SignedIn:
    user: User
    token: Token


async def sign_in(database: Database, signer: Signer, *, name: str, password: str, now: datetime) -> SignedIn:
    """`name` is a user's id or e-mail address. Raises `WrongNameOrPassword`, `TooManyFailures`, `NobodyYet`.

    Not one transaction but two short ones: the attempt counts even if this process dies before it fails, and no
    connection waits while the password is hashed.
    """
    async with database.transaction() as session:
        user = await queries.user_of_name(session, name)
        if user is None and not await queries.has_users(session):
            raise NobodyYet("There is no user yet: the first is made with the password in ORDERLOOM_ADMIN_PASSWORD.")
        counted_as = user.user_id if user else name.lower()
        await _count_attempt(session, counted_as, now=now)
    is_right = await passwords.is_right(password, user.password_hash if user else None)
    if user is None or not is_right or not user.active:
        raise WrongNameOrPassword("Name and password do not belong together.")
    async with database.transaction() as session:
        await session.execute(delete(SignInAttempts).where(SignInAttempts.name == counted_as))
    return SignedIn(user, signer.sign(user.principal, now=now))


async def forget_old_attempts(session: AsyncSession, *, now: datetime) -> None:
    """Names that nobody tried of late need not be remembered."""
    await session.execute(delete(SignInAttempts).where(SignInAttempts.first_at < now - FAILURES_FORGOTTEN_AFTER))


async def _count_attempt(session: AsyncSession, name: str, *, now: datetime) -> None:
    """Before the password is looked at: of many attempts at once, each sees those before it."""
    first = insert(SignInAttempts).values(name=name, count=0, first_at=now)
    await session.execute(first.on_conflict_do_nothing())
    attempts = await session.get_one(SignInAttempts, name, with_for_update=True)
    attempts.another(now=now)
