"""People of the company."""

from collections.abc import Sequence
from typing import Annotated

from chassis.http import Session, holding, router
from chassis.principal import Principal
from contracts.roles import ADMINISTRATOR, FINANCE, FINANCE_MANAGER, GENERAL_MANAGER, PROJECT_MANAGER
from contracts.strict import Code
from project import operations, queries
from project.api.catalogue import Administrator
from project.models import Person
from project.schemas import PersonIn, PersonOut

people = router(prefix="/people", tags=["people"])

Planner = Annotated[Principal, holding(PROJECT_MANAGER, GENERAL_MANAGER, FINANCE, FINANCE_MANAGER, ADMINISTRATOR)]


@people.get("", response_model=list[PersonOut])
async def list_people(session: Session, principal: Planner) -> Sequence[Person]:
    """Not for everyone: it says what people cost."""
    return await queries.list_people(session)


@people.put("/{user_id}", response_model=PersonOut)
async def describe_person(user_id: Code, body: PersonIn, session: Session, principal: Administrator) -> Person:
    """What someone knows and costs. 404 until their user is known here."""
    return await operations.describe_person(
        session,
        user_id=user_id,
        skills=body.skills,
        cost_per_hour=body.cost_per_hour,
        currency=body.currency,
    )
