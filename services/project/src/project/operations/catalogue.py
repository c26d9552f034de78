"""Order types, templates and the working calendar: what projects are made from."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.directory import OrderTypePublished
from project import queries
from project.models import CalendarDay, OrderType, Template
from project.template import TemplateBody


async def learn_of_order_type(session: AsyncSession, published: OrderTypePublished) -> None:
    """A version never changes: hearing of it again changes nothing."""
    if await session.get(OrderType, (published.code, published.version)) is None:
        session.add(OrderType.of(published))
        await session.flush()  # it may be told again in this very batch
        queries.CATALOGUE.drop(session)


async def publish_template(session: AsyncSession, code: str, body: TemplateBody, *, now: datetime) -> Template:
    """The next version of a template; the present one, when nothing in it is new and it still fits its order type.

    Raises `TemplateWrong`, and `NotYetKnown` while the order type is not.
    """
    order_type = await queries.newest_order_type(session, code)
    newest = await queries.newest_template(session, code)
    version = newest.version if newest else 0
    template = Template.publish(body, order_type=order_type, version=version + 1, now=now)
    if newest and newest.document == template.document:
        return newest
    session.add(template)
    queries.CATALOGUE.drop(session)
    return template


async def replace_calendar_days(session: AsyncSession, days: Sequence[tuple[date, bool, str]]) -> None:
    """From now on these are the days that differ; what is planned stays as it was planned. Raises `CalendarWrong`."""
    calendar = CalendarDay.all_of(days)
    await session.execute(delete(CalendarDay))
    session.add_all(calendar)
    queries.WORKING_CALENDAR.drop(session)
