"""Users, client companies and API keys."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.cached import Cached
from chassis.paging import Cut
from chassis.principal import Principal
from portal.models import ApiKey, Client, SignOut, User, sign_out
from portal.models.user import UserNotFound


async def get_user(session: AsyncSession, user_id: str) -> User:
    """Raises `UserNotFound`."""
    user = await session.get(User, user_id)
    if user is None:
        raise UserNotFound(f"There is no user {user_id}.")
    return user


async def find_user(session: AsyncSession, user_id: str) -> User | None:
    """None for someone whose token another issuer gave."""
    return await session.get(User, user_id)


async def user_of_name(session: AsyncSession, name: str) -> User | None:
    """By id or e-mail address, of which only the latter has an @."""
    if "@" in name:
        return await user_of_email(session, name)
    return await session.get(User, name.lower())


async def user_of_email(session: AsyncSession, email: str) -> User | None:
    return (await session.scalars(select(User).where(User.email == email.lower()))).one_or_none()


async def list_users(session: AsyncSession, cut: Cut, *, search: str | None) -> Sequence[User]:
    """By id."""
    users = select(User).order_by(User.user_id).limit(cut.limit + 1)
    if after := cut.after_as(str):
        users = users.where(User.user_id > after[0])
    if search:
        columns = (User.user_id, User.name, User.email, User.client_code)
        users = users.where(or_(*(column.icontains(search, autoescape=True) for column in columns)))
    return (await session.scalars(users)).all()


async def has_users(session: AsyncSession) -> bool:
    return bool(await session.scalar(select(exists(select(User)))))


async def client_of_code(session: AsyncSession, code: str) -> Client | None:
    return (await session.scalars(select(Client).where(Client.code == code))).one_or_none()


async def list_api_keys(session: AsyncSession, cut: Cut) -> Sequence[ApiKey]:
    """The newest first."""
    keys = select(ApiKey).order_by(ApiKey.key_id.desc()).limit(cut.limit + 1)
    if after := cut.after_as(UUID):
        keys = keys.where(ApiKey.key_id < after[0])
    return (await session.scalars(keys)).all()


async def _read_api_keys(session: AsyncSession) -> Mapping[str, ApiKey]:
    return {key.sha256: key for key in await session.scalars(select(ApiKey))}


class Reader(NamedTuple):
    """What every page knows of a person."""

    name: str
    locale: str


async def _read_readers(session: AsyncSession) -> Mapping[str, Reader]:
    rows = await session.execute(select(User.user_id, User.name, User.locale))
    return {row.user_id: Reader(row.name, row.locale) for row in rows}


async def _read_sign_outs(session: AsyncSession) -> Mapping[str, float]:
    return {each.whose: each.at.timestamp() for each in await session.scalars(select(SignOut))}


async def is_signed_out(session: AsyncSession, principal: Principal) -> bool:
    """Whether the principal's token was taken back: by signing out, a new password, or other roles."""
    sign_outs = await SIGN_OUTS.get(session)
    everywhere_at = sign_outs.get(sign_out.of_user(principal.user_id))
    return sign_out.of_token(principal.token_id or "") in sign_outs or (
        everywhere_at is not None and principal.issued_at < everywhere_at
    )


SIGN_OUTS = Cached(_read_sign_outs)
"""Of the last hours: every request of a person looks here."""
API_KEYS = Cached(_read_api_keys)
"""By hash: every request of a system looks here."""
READERS = Cached(_read_readers)
"""Everyone who has an account here, by id: what they are called, and the language of their pages."""
