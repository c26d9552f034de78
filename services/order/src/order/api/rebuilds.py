"""Rebuilds: the archive told again to the services that make their read models from it."""

from typing import Any
from uuid import UUID

from chassis.http import Now, Operator, PageCut, Session, router
from chassis.paging import Page
from order import operations, queries
from order.models import Rebuild
from order.schemas import RebuildIn, RebuildOut

rebuilds = router(prefix="/admin/rebuilds", tags=["admin"])


@rebuilds.post("", status_code=202, response_model=RebuildOut)
async def start_rebuild(body: RebuildIn, session: Session, principal: Operator, now: Now) -> Rebuild:
    """Tell the threads of all orders, or of one, to a service again. It goes on by itself: ask how far it is."""
    return await operations.start_rebuild(
        session, body.service, body.order_id, is_forced=body.force, by=principal.actor, now=now
    )


@rebuilds.get("", response_model=Page[RebuildOut])
async def list_rebuilds(session: Session, principal: Operator, cut: PageCut) -> Any:
    """The newest first."""
    return cut.page(await queries.list_rebuilds(session, cut), lambda rebuild: [rebuild.rebuild_id])


@rebuilds.get("/{rebuild_id}", response_model=RebuildOut)
async def get_rebuild(rebuild_id: UUID, session: Session, principal: Operator) -> Rebuild:
    """How far it is told. How far it is applied, the service says that it is told to."""
    return await queries.get_rebuild(session, rebuild_id)
