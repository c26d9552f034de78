"""Who was told what, and the reference data that telling needs. Nothing here writes or locks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.cached import Cached
from chassis.paging import Cut
from chassis.principal import Principal
from contracts.directory import OrderTypePublished
from notify.models import Notice, NoticeStatus, OrderAudience, OrderNotFound, OrderType, Recipient
from notify.people import People, Person

WHEN_GIVEN = tuple_(Notice.given_at, Notice.notice_id)
"""The order of lists: ids made in one millisecond have none."""
OUTGOING = (NoticeStatus.PENDING, NoticeStatus.SENDING)


def notices_of(principal: Principal) -> Select[Notice]:
    """The notices in the app that are the principal's own; a client's only while the order is their company's."""
    own = select(Notice).where(Notice.user_id == principal.user_id, Notice.channel == "in_app")
    if principal.kind == "client":
        own = own.join(OrderAudience, OrderAudience.order_id == Notice.order_id)
        own = own.where(OrderAudience.client_id == principal.client_id)
    return own


async def my_notices(session: AsyncSession, principal: Principal, cut: Cut, *, unread: bool) -> Sequence[Notice]:
    """The newest first, one more than the page holds if there are more."""
    notices = notices_of(principal).order_by(Notice.given_at.desc(), Notice.notice_id.desc()).limit(cut.limit + 1)
    if after := cut.after_as(datetime.fromisoformat, UUID):
        notices = notices.where(after > WHEN_GIVEN)
    if unread:
        notices = notices.where(Notice.read_at.is_(None))
    return (await session.scalars(notices)).all()


async def notices_about(session: AsyncSession, order_id: UUID, cut: Cut) -> Sequence[Row[*tuple[Any, ...]]]:
    """Every notice with its person's `name`, where that is known; the oldest first. Raises `OrderNotFound`."""
    await _must_exist(session, order_id)
    notices = (
        select(*Notice.__table__.columns, Recipient.name)
        .outerjoin_from(Notice, Recipient, Recipient.user_id == Notice.user_id)
        .where(Notice.order_id == order_id)
        .order_by(Notice.given_at, Notice.notice_id)
        .limit(cut.limit + 1)
    )
    if after := cut.after_as(datetime.fromisoformat, UUID):
        notices = notices.where(after < WHEN_GIVEN)
    return (await session.execute(notices)).all()


async def count_notices_about(session: AsyncSession, order_id: UUID) -> Mapping[str, int]:
    """By channel, sent or not. Raises `OrderNotFound`."""
    await _must_exist(session, order_id)
    counted = select(Notice.channel, func.count()).where(Notice.order_id == order_id).group_by(Notice.channel)
    return {channel: count for channel, count in await session.execute(counted)}


async def _must_exist(session: AsyncSession, order_id: UUID) -> None:
    if await session.get(OrderAudience, order_id) is None:
        raise OrderNotFound(f"There is no order {order_id}.")


def due_mail(now: datetime) -> Select[Notice, str | None]:
    """The e-mails to be sent now, the longest waiting first, with their addresses as they are now.

    Not those that leave in another. Nothing leaves for someone who may not sign in any more: it waits, should they
    come back.
    """
    return (
        select(Notice, Recipient.email)
        .join(Recipient, Recipient.user_id == Notice.user_id)
        .where(Notice.status.in_(OUTGOING), Notice.enclosed_in.is_(None), Notice.not_before <= now)
        .where(Recipient.email.is_not(None), Recipient.active)
        .order_by(Notice.not_before)
    )


async def enclosed_in(session: AsyncSession, letter_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Notice]]:
    """What leaves in each of these e-mails, beside the notice that gives it its id; the longest waiting first."""
    enclosed = select(Notice).where(Notice.enclosed_in.in_(letter_ids), Notice.status.in_(OUTGOING))
    found: dict[UUID, list[Notice]] = defaultdict(list)
    for notice in await session.scalars(enclosed.order_by(Notice.given_at, Notice.notice_id)):
        assert notice.enclosed_in is not None
        found[notice.enclosed_in].append(notice)
    return found


async def is_mail_due(session: AsyncSession, *, now: datetime) -> bool:
    some = due_mail(now).with_only_columns(Notice.notice_id).order_by(None).limit(1)
    return (await session.execute(some)).first() is not None


async def mail_backlog(session: AsyncSession) -> tuple[int, datetime | None]:
    """How many e-mails are not sent, of those that anybody could get, and when the oldest of them was given."""
    waiting = (
        select(func.count(), func.min(Notice.given_at))
        .join(Recipient, Recipient.user_id == Notice.user_id)
        .where(Notice.status.in_(OUTGOING))
        .where(Recipient.email.is_not(None), Recipient.active)
    )
    return (await session.execute(waiting)).one()


async def _read_people(session: AsyncSession) -> People:
    columns = (Recipient.user_id, Recipient.name, Recipient.email, Recipient.locale, Recipient.roles)
    rows = await session.execute(select(*columns, Recipient.client_id, Recipient.active))
    return People(
        Person(
            user_id=row.user_id,
            name=row.name,
            locale=row.locale,
            has_address=row.email is not None,
            roles=tuple(row.roles),
            client_id=row.client_id,
            is_active=row.active,
        )
        for row in rows
    )


PEOPLE = Cached(_read_people)


async def _read_order_types(session: AsyncSession) -> Mapping[tuple[str, int], OrderTypePublished]:
    return {(each.code, each.version): each.published for each in await session.scalars(select(OrderType))}


ORDER_TYPES = Cached(_read_order_types)
