"""What the service stands on, looked at by one of its processes: see `chassis.diagnosis`."""

from fastapi import Request
from pydantic import BaseModel, ConfigDict

from chassis.diagnosis import diagnose
from chassis.http import Operator, router

diagnosis = router(prefix="/admin/diagnosis", tags=["admin"])


class FindingOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    about: str
    is_well: bool
    says: str
    """What was found; where it is not well, what to do."""


@diagnosis.get("")
async def look_at_everything(request: Request, principal: Operator) -> list[FindingOut]:
    """Database, clock, outbox, parked keys, keys; the bus where this process is on it. Within ten seconds."""
    return [FindingOut.model_validate(each) for each in await diagnose(request.app.state.looks)]
