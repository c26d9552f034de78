"""Taking tokens back."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.principal import Principal
from portal import queries
from portal.models import SignOut
from portal.models.sign_out import KEPT_FOR, of_token, of_user


async def sign_out(session: AsyncSession, principal: Principal, *, now: datetime) -> None:
    """The token that was shown opens nothing from now on; in other processes of the gateway, within seconds."""
    if principal.token_id is not None:
        await _keep(session, of_token(principal.token_id), now=now)


async def sign_out_everywhere(session: AsyncSession, user_id: str, *, now: datetime) -> None:
    """As `sign_out`, for every token that the person was given before `now`."""
    await _keep(session, of_user(user_id), now=now)


async def forget_old_sign_outs(session: AsyncSession, *, now: datetime) -> None:
    """Those of tokens that have expired by themselves."""
    await session.execute(delete(SignOut).where(SignOut.at < now - KEPT_FOR))


async def _keep(session: AsyncSession, whose: str, *, now: datetime) -> None:
    kept = insert(SignOut).values(whose=whose, at=now)
    await session.execute(kept.on_conflict_do_update(index_elements=["whose"], set_={"at": kept.excluded.at}))
    queries.SIGN_OUTS.drop(session)
