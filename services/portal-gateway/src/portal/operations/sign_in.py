"""Proving who one is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import Database
from chassis.errors import Forbidden, Refusal
from portal import passwords, queries
from portal.models import SignInAttempts, User
from portal.models.user import FAILURES_FORGOTTEN_AFTER
from portal.operations.sign_out import sign_out_everywhere
from portal.signing import Signer, Token


class WrongNameOrPassword(Refusal):
    """Which of the two is not said."""

    status = 401


class NobodyYet(Refusal):
    """The first administrator is being made in these seconds, or nobody said with which password."""

    status = 503


class NotThePresentPassword(Forbidden):
    """Whoever found an open session does not own the account by that."""


@dataclass(frozen=True)
class SignedIn:
    user: User
    token: Token
    device: str
    """For the browser to keep: it proves at the next sign-in that this person has signed in from there before."""


async def sign_in(
    database: Database, signer: Signer, *, name: str, password: str, device: str, now: datetime
) -> SignedIn:
    """`name` is a user's id or e-mail address. Raises `WrongNameOrPassword`, `TooManyFailures`, `NobodyYet`.

    Failures are counted for the name; of a `device` from which that person has signed in before, by themselves: who
    makes guesses elsewhere shuts nobody out of their own browser.
    """
    user = await _proven(database, signer, name=name, password=password, device=device, now=now)
    return _signed_in(signer, user, device=device, now=now)


async def change_own_password(
    database: Database,
    signer: Signer,
    *,
    user_id: str,
    present: str,
    new: str,
    device: str,
    now: Callable[[], datetime],
) -> SignedIn:
    """Every other session of the person ends. Raises `NotThePresentPassword`, `TooManyFailures`, `NobodyYet`."""
    try:
        user = await _proven(database, signer, name=user_id, password=present, device=device, now=now())
    except WrongNameOrPassword as reason:
        raise NotThePresentPassword("The present password is another one.") from reason
    password_hash = await passwords.hashed(new)
    changed_at = now()
    async with database.transaction() as session:
        locked = await session.get_one(User, user.user_id, with_for_update=True)
        locked.password_hash = password_hash
        await sign_out_everywhere(session, user.user_id, now=changed_at)
    return _signed_in(signer, user, device=device, now=changed_at)


async def _proven(database: Database, signer: Signer, *, name: str, password: str, device: str, now: datetime) -> User:
    """Not one transaction but two short ones: the attempt counts even if this process dies before it fails, and no
    connection waits while the password is hashed.
    """
    async with database.transaction() as session:
        user = await queries.user_of_name(session, name)
        if user is None and not await queries.has_users(session):
            raise NobodyYet("There is no user yet: the first is made with the password in ORDERLOOM_ADMIN_PASSWORD.")
        counted_as = user.user_id if user else name.lower()
        if user and (device_id := signer.device_of(device, user_id=user.user_id)):
            counted_as = f"{user.user_id} from {device_id}"  # no user id holds a space
        await _count_attempt(session, counted_as, now=now)
    is_right = await passwords.is_right(password, user.password_hash if user else None)
    if user is None or not is_right or not user.active:
        raise WrongNameOrPassword("Name and password do not belong together.")
    async with database.transaction() as session:
        await session.execute(delete(SignInAttempts).where(SignInAttempts.name == counted_as))
    return user


def _signed_in(signer: Signer, user: User, *, device: str, now: datetime) -> SignedIn:
    is_known = signer.device_of(device, user_id=user.user_id) is not None
    return SignedIn(
        user,
        signer.sign(user.principal, now=now),
        device if is_known else signer.sign_device(user.user_id, now=now),
    )


async def forget_old_attempts(session: AsyncSession, *, now: datetime) -> None:
    """Names that nobody tried of late need not be remembered."""
    await session.execute(delete(SignInAttempts).where(SignInAttempts.first_at < now - FAILURES_FORGOTTEN_AFTER))


async def _count_attempt(session: AsyncSession, name: str, *, now: datetime) -> None:
    """Before the password is looked at: of many attempts at once, each sees those before it."""
    first = insert(SignInAttempts).values(name=name, count=0, first_at=now)
    await session.execute(first.on_conflict_do_nothing())
    attempts = await session.get_one(SignInAttempts, name, with_for_update=True)
    attempts.another(now=now)
