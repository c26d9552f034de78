"""Templates and the working calendar."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query
from pydantic import Field

from chassis.http import Now, Session, Staff, holding, router
from chassis.principal import Principal
from contracts.roles import ADMINISTRATOR
from contracts.strict import Code
from project import operations, queries
from project.models import CalendarDay, Template
from project.schemas import CalendarDayIn, CalendarDayOut, TemplateOut
from project.template import TemplateBody

catalogue = router(tags=["catalogue"])

Administrator = Annotated[Principal, holding(ADMINISTRATOR)]
CALENDAR_DAYS_MAX = 2000


@catalogue.get("/templates", response_model=list[TemplateOut])
async def list_templates(session: Session, principal: Staff) -> Sequence[Template]:
    """The newest version of each."""
    return await queries.list_templates(session)


@catalogue.put("/templates/{code}", response_model=TemplateOut)
async def publish_template(
    code: Code, body: TemplateBody, session: Session, principal: Administrator, now: Now
) -> Template:
    """A new version for the order type of that code, or the present one if nothing in it is new.

    Projects keep the version they were made from. 503 while the order type is not known here.
    """
    return await operations.publish_template(session, code, body, now=now)


@catalogue.get("/calendar-days", response_model=list[CalendarDayOut])
async def list_calendar_days(
    session: Session, principal: Staff, year: Annotated[int | None, Query(ge=1900, le=9999)] = None
) -> Sequence[CalendarDay]:
    """The days that differ from weekends and public holidays as they are usual."""
    return await queries.list_calendar_days(session, year)


@catalogue.put("/calendar-days", status_code=204)
async def replace_calendar_days(
    body: Annotated[list[CalendarDayIn], Field(max_length=CALENDAR_DAYS_MAX)],
    session: Session,
    principal: Administrator,
) -> None:
    """All of them, in place of those before: days off, and make-up days (调休)."""
    await operations.replace_calendar_days(session, [(each.date, each.is_working, each.name) for each in body])
