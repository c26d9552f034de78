"""What can be known about projects. Nothing here writes or locks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from chassis.cached import Cached
from chassis.errors import NotYetKnown
from chassis.paging import Cut
from contracts.directory import OrderTypePublished
from contracts.project import Person as PersonRef
from project.models import CalendarDay, Deliverable, OrderType, Person, Project, Task, Template
from project.models.person import PersonNotFound
from project.models.project import DeliverableNotFound, ProjectNotFound
from project.models.task import OPEN, TaskNotFound
from project.team import Member, Team
from project.template import TemplateBody
from project.working_calendar import WorkingCalendar

EVERYTHING: tuple[ORMOption, ...] = (
    selectinload(Project.tasks),
    selectinload(Project.milestones),
    selectinload(Project.deliverables),
    selectinload(Project.inspections),
)
"""Of a project, as its page shows it."""


async def get_project(session: AsyncSession, order_id: UUID) -> Project:
    """With everything in it. Raises `ProjectNotFound`."""
    project = await session.get(Project, order_id, options=EVERYTHING)
    if project is None:
        raise ProjectNotFound(f"There is no project for order {order_id}: it is made when the order is approved.")
    return project


async def order_of_task(session: AsyncSession, task_id: UUID) -> UUID:
    """Never changes. Raises `TaskNotFound`."""
    order_id = await session.scalar(select(Task.order_id).where(Task.task_id == task_id))
    if order_id is None:
        raise TaskNotFound(f"There is no task {task_id}.")
    return order_id


async def order_of_deliverable(session: AsyncSession, deliverable_id: UUID) -> UUID:
    """Never changes. Raises `DeliverableNotFound`."""
    order_id = await session.scalar(select(Deliverable.order_id).where(Deliverable.deliverable_id == deliverable_id))
    if order_id is None:
        raise DeliverableNotFound(f"There is no deliverable {deliverable_id}.")
    return order_id


async def list_tasks(
    session: AsyncSession, cut: Cut, *, assignee: str | None, queue: str | None, status: str | None
) -> Sequence[Task]:
    """What is due first comes first; one more than the page holds if there are more."""
    key = (Task.planned_finish, Task.task_id)
    tasks = select(Task).options(joinedload(Task.project)).order_by(*key).limit(cut.limit + 1)
    if after := cut.after_as(date.fromisoformat, UUID):
        tasks = tasks.where(tuple_(*key) > after)
    if assignee:
        tasks = tasks.where(Task.assignee_id == assignee)
    if queue:
        tasks = tasks.where(Task.queue == queue)
    if status:
        tasks = tasks.where(Task.status == status)
    return (await session.scalars(tasks)).all()


async def list_people(session: AsyncSession) -> Sequence[Person]:
    """By id, also those who cannot sign in any more."""
    return (await session.scalars(select(Person).order_by(Person.user_id))).all()


async def get_person(session: AsyncSession, user_id: str) -> Person:
    """Raises `PersonNotFound`."""
    person = await session.get(Person, user_id)
    if person is None:
        raise PersonNotFound(f"There is no person {user_id}: people are known once the gateway has told of the user.")
    return person


async def person_ref(session: AsyncSession, user_id: str) -> PersonRef:
    """With their name, or their id for it while it is not known here."""
    person = await session.get(Person, user_id)
    return person.ref if person else PersonRef(id=user_id, name=user_id)


async def list_calendar_days(session: AsyncSession, year: int | None) -> Sequence[CalendarDay]:
    days = select(CalendarDay).order_by(CalendarDay.day)
    if year is not None:
        days = days.where(CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31)))
    return (await session.scalars(days)).all()


async def _read_working_calendar(session: AsyncSession) -> WorkingCalendar:
    return WorkingCalendar({day.day: day.is_working for day in await list_calendar_days(session, None)})


WORKING_CALENDAR = Cached(_read_working_calendar)


async def _read_members(session: AsyncSession) -> Sequence[Member]:
    return [person.member for person in await session.scalars(select(Person).where(Person.is_active))]


MEMBERS = Cached(_read_members)


async def _read_open_days(session: AsyncSession) -> dict[str, int]:
    owned = select(Task.assignee_id, func.sum(Task.duration_days)).where(Task.status.in_(OPEN))
    rows = await session.execute(owned.where(Task.assignee_id.is_not(None)).group_by(Task.assignee_id))
    return {person_id: int(days) for person_id, days in rows if person_id is not None}


OPEN_DAYS = Cached(_read_open_days)
"""Shared by the batches of this process and counted up by each of them: reading it for every order would cost more
than all the rest, and what a batch counted that was rolled back is forgotten at the next reading."""


async def team(session: AsyncSession) -> Team:
    """Everyone who can be given work. What is given counts at once, so that the orders of a batch are spread."""
    return Team(await MEMBERS.get(session), await OPEN_DAYS.get(session))


@dataclass(frozen=True)
class Catalogue:
    """Every version of every order type and template that is known."""

    order_types: Mapping[tuple[str, int], OrderTypePublished]
    templates: Mapping[str, Sequence[tuple[int, TemplateBody]]]
    """By code, the newest first, each with its version."""


async def read_catalogue(session: AsyncSession) -> Catalogue:
    """From the tables."""
    order_types = await session.scalars(select(OrderType))
    templates: dict[str, list[tuple[int, TemplateBody]]] = {}
    for row in await session.scalars(select(Template).order_by(Template.version.desc())):
        templates.setdefault(row.code, []).append((row.version, row.body))
    return Catalogue({(row.code, row.version): row.published for row in order_types}, templates)


CATALOGUE = Cached(read_catalogue)


@dataclass(frozen=True)
class Blueprint:
    """What a project is made from."""

    order_type: OrderTypePublished
    template_version: int
    template: TemplateBody


async def blueprint(session: AsyncSession, code: str, type_version: int) -> Blueprint:
    """The newest template that fits this version of the order type. Raises `NotYetKnown` while there is none."""
    catalogue = await CATALOGUE.get(session)
    order_type = catalogue.order_types.get((code, type_version))
    for version, template in catalogue.templates.get(code, ()):
        if order_type is not None and template.fits(order_type):
            return Blueprint(order_type, version, template)
    CATALOGUE.forget(session)
    raise NotYetKnown(f"No template fits version {type_version} of the order type {code} yet: publish one.")


async def list_templates(session: AsyncSession) -> Sequence[Template]:
    """The newest version of each."""
    newest = select(Template).ext(distinct_on(Template.code)).order_by(Template.code, Template.version.desc())
    return (await session.scalars(newest)).all()


async def newest_template(session: AsyncSession, code: str) -> Template | None:
    newest = select(Template).where(Template.code == code).order_by(Template.version.desc()).limit(1)
    return (await session.scalars(newest)).one_or_none()


async def newest_order_type(session: AsyncSession, code: str) -> OrderTypePublished:
    """Raises `NotYetKnown` before it is published."""
    newest = select(OrderType).where(OrderType.code == code).order_by(OrderType.version.desc()).limit(1)
    row = (await session.scalars(newest)).one_or_none()
    if row is None:
        raise NotYetKnown(f"The order type {code} is not published yet.")
    return row.published
