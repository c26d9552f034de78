"""The read model of a service: whether it is the same as before, and how its rebuilding gets on."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from pydantic import BaseModel

from chassis import read_model as models
from chassis import rebuilding
from chassis.errors import NotFound
from chassis.http import Operator, Session, router
from chassis.read_model import ReadModel

NOT_REBUILT_SHOWN = 200

read_model = router(prefix="/admin/read-model", tags=["admin"])


class NoReadModel(NotFound):
    """The service's own tables are the source of truth: nothing in them is made of what others tell alone."""


async def _model(request: Request) -> ReadModel:
    model: ReadModel | None = request.app.state.read_model
    if model is None:
        service = request.app.state.service
        raise NoReadModel(f"{service} keeps no read model: its own tables are the source of truth.")
    return model


class ChecksumOut(BaseModel):
    order_id: UUID | None
    rows: dict[str, int]
    """By table."""
    sha256: str


class NotRebuiltOut(BaseModel):
    order_id: UUID
    outcome: str
    """`behind`: the archive lacks facts that the read model has, ask again. `failed`: see the detail."""
    detail: str | None


class RebuildingOut(BaseModel):
    rebuild_id: UUID
    rebuilt: int
    behind: int
    failed: int
    waiting: int
    not_rebuilt: list[NotRebuiltOut]
    """The first of those behind and failed."""


Model = Annotated[ReadModel, Depends(_model)]


@read_model.get("")
async def get_checksum(
    session: Session, principal: Operator, model: Model, order_id: UUID | None = None
) -> ChecksumOut:
    """The same as before if and only if every row is, of all orders or of one. Facts that come change it."""
    found = await models.checksum(session, model, order_id)
    return ChecksumOut(order_id=order_id, rows=found.rows, sha256=found.sha256)


@read_model.get("/rebuilds/{rebuild_id}")
async def get_rebuilding(rebuild_id: UUID, session: Session, principal: Operator, model: Model) -> RebuildingOut:
    """What became of the orders whose threads have come whole. Which are to come, the archive's service knows."""
    counts = await rebuilding.outcomes(session, rebuild_id)
    ended = await rebuilding.not_rebuilt(session, rebuild_id, limit=NOT_REBUILT_SHOWN)
    return RebuildingOut(
        rebuild_id=rebuild_id,
        rebuilt=counts.get(rebuilding.REBUILT, 0),
        behind=counts.get(rebuilding.BEHIND, 0),
        failed=counts.get(rebuilding.FAILED, 0),
        waiting=counts.get(None, 0),
        not_rebuilt=[
            NotRebuiltOut(order_id=order.order_id, outcome=order.outcome or "", detail=order.detail) for order in ended
        ],
    )
