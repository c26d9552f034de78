"""What can be done: load, ask who is concerned, record the fact."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import flush, outbox, roots
from chassis.errors import Undeliverable
from chassis.principal import Principal
from contracts.directory import OrderTypePublished, User
from contracts.event import OrderEvent
from contracts.notify import NoticeGiven
from contracts.notify import Recipient as ToldRecipient
from contracts.order import OrderPlaced
from notify import audience, queries, texts
from notify.audience import Telling
from notify.models import Notice, NoticeNotFound, NoticeStatus, OrderAudience, OrderType, Recipient
from notify.related import Related


async def give_notices(
    session: AsyncSession, event: OrderEvent, *, cause_id: UUID, zone: ZoneInfo, gateway_url: str, now: datetime
) -> None:
    """Tell everyone whom `event` concerns, once each on every channel, and tell the thread who they were.

    Raises `Undeliverable` for an order that was never placed, `NotYetKnown` while its type is not known.
    """
    order = await _learning_audience(session, event)
    people, order_types = await queries.PEOPLE.get(session), await queries.ORDER_TYPES.get(session)
    tellings = audience.concerned(event, Related(order, people, order_types, zone))
    link = f"{gateway_url.rstrip('/')}/orders/{order.order_id}"
    notices = [notice for telling in tellings for notice in _notices(telling, event, order, link, cause_id, now)]
    if not notices:
        return
    flush.write(session, notices)
    recipients = tuple(ToldRecipient.model_validate(notice, from_attributes=True) for notice in notices)
    given = NoticeGiven(order_id=order.order_id, cause_id=cause_id, cause_type=event.type, recipients=recipients)
    outbox.record(session, given)


async def _learning_audience(session: AsyncSession, event: OrderEvent) -> OrderAudience:
    order = await roots.lock(session, OrderAudience, event.order_id)
    if order is not None:
        order.learn(event)
        return order
    if not isinstance(event, OrderPlaced):
        raise Undeliverable(f"Order {event.order_id} was never placed: {event.type} concerns nobody.")
    order = OrderAudience.of(event)
    roots.add(session, order)
    return order


def _notices(
    telling: Telling, event: OrderEvent, order: OrderAudience, link: str, cause_id: UUID, now: datetime
) -> Iterator[Notice]:
    """For everyone in `telling`, written once for each language and kind of reader."""
    known = {"order_no": order.order_no, "title": order.title, "link": link}
    written: dict[tuple[str, bool], texts.Words] = {}
    for person in telling.people:
        language, for_client = texts.language_of(person.locale), person.is_client
        words = written.get((language.locale, for_client))
        if words is None:
            # A text for clients cannot name a client: none is among its values.
            values: dict[str, Any] = known if for_client else known | {"client": order.client_name}
            words = texts.write(telling.variant, language, for_client=for_client, values=values | telling.values)
            written[language.locale, for_client] = words
        for channel in telling.channels:
            yield Notice.give(
                person, channel, words, order_id=order.order_id, cause_id=cause_id, cause_type=event.type, now=now
            )


async def know_person(session: AsyncSession, user: User) -> None:
    """Know someone as the directory tells of them now. What waited for an address is released."""
    values = {
        "user_id": user.user_id,
        "name": user.name,
        "email": user.email or None,
        "locale": user.locale,
        "roles": list(user.roles),
        "client_id": user.client_id,
        "active": user.active,
    }
    told = insert(Recipient).values(values)
    await session.execute(told.on_conflict_do_update(index_elements=[Recipient.user_id], set_=values))
    queries.PEOPLE.forget(session)  # what follows in this transaction sees it
    if user.email:
        await release_waiting(session, user_id=user.user_id)


async def release_waiting(session: AsyncSession, *, user_id: str | None = None) -> None:
    """Let the e-mails leave whose addresses have become known; of one person, or of everyone."""
    has_address = (Recipient.user_id == Notice.user_id, Recipient.email.is_not(None))
    released = update(Notice).where(Notice.status == NoticeStatus.WAITING, *has_address)
    if user_id is not None:
        released = released.where(Notice.user_id == user_id)
    await session.execute(
        released.values(status=NoticeStatus.PENDING), execution_options={"synchronize_session": False}
    )


async def know_order_type(session: AsyncSession, published: OrderTypePublished) -> None:
    """Know one version of a type, which never changes."""
    document = published.model_dump(mode="json")
    told = insert(OrderType).values(code=published.code, version=published.version, document=document)
    await session.execute(told.on_conflict_do_nothing())
    queries.ORDER_TYPES.forget(session)


async def read_notice(session: AsyncSession, notice_id: UUID, *, by: Principal, now: datetime) -> Notice:
    """Mark one's own notice as read. Raises `NoticeNotFound`, for those of others as well."""
    own = queries.notices_of(by).where(Notice.notice_id == notice_id).with_for_update(of=Notice)
    notice = (await session.scalars(own)).one_or_none()
    if notice is None:
        raise NoticeNotFound(f"There is no notice {notice_id} for you.")
    notice.read(now=now)
    return notice


async def read_all_notices(session: AsyncSession, *, by: Principal, now: datetime) -> int:
    """Mark all one's own notices as read; how many were not."""
    unread = queries.notices_of(by).where(Notice.read_at.is_(None)).with_only_columns(Notice.notice_id)
    marked = update(Notice).where(Notice.notice_id.in_(unread)).values(read_at=now).returning(Notice.notice_id)
    return len((await session.scalars(marked, execution_options={"synchronize_session": False})).all())
