"""People: they come with the users; what they know and cost is written down here."""

from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.directory import User
from project import queries
from project.models import Person


async def learn_of_user(session: AsyncSession, user: User) -> None:
    """As the user is now. People of client companies are nobody here, unless they were someone before."""
    person = await session.get(Person, user.user_id)
    if person is not None:
        person.follow(user)
    elif user.client_id is None:
        session.add(Person.of(user))
    await session.flush()  # the same user may be told again in this very batch
    queries.MEMBERS.drop(session)


async def describe_person(
    session: AsyncSession, *, user_id: str, skills: list[str], cost_per_hour: Decimal, currency: str
) -> Person:
    """What they know, and what an hour of theirs costs. Raises `PersonNotFound`."""
    person = await queries.get_person(session, user_id)
    person.skills, person.cost_per_hour, person.currency = skills, cost_per_hour, currency
    queries.MEMBERS.drop(session)
    return person
