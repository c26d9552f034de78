"""Keys by which systems outside act."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from portal import queries
from portal.models import ApiKey
from portal.models.api_key import ApiKeyNotFound


async def issue_api_key(
    session: AsyncSession, *, system: str, scopes: Sequence[str], by: str, now: datetime
) -> tuple[ApiKey, str]:
    """The key as it is kept, and as its system will send it. Raises `SystemNameReserved`."""
    key, secret = ApiKey.issue(system=system, scopes=scopes, by=by, now=now)
    session.add(key)
    queries.API_KEYS.drop(session)
    return key, secret


async def withdraw_api_key(session: AsyncSession, *, key_id: UUID) -> None:
    """It opens nothing from now on; in other processes, within seconds. Raises `ApiKeyNotFound`."""
    key = await session.get(ApiKey, key_id, with_for_update=True)
    if key is None:
        raise ApiKeyNotFound(f"There is no API key {key_id}.")
    await session.delete(key)
    queries.API_KEYS.drop(session)
