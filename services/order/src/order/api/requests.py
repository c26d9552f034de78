"""What systems outside have asked for in vain: for those who help them."""

from typing import Annotated, Any

from fastapi import Query

from chassis.http import Operator, PageCut, Session, router
from chassis.paging import Page
from order import queries
from order.envelope import NAME_CHARACTERS_MAX
from order.schemas import RejectedRequestOut

requests = router(prefix="/admin/rejected-requests", tags=["admin"])

Source = Annotated[str | None, Query(max_length=NAME_CHARACTERS_MAX)]


@requests.get("", response_model=Page[RejectedRequestOut])
async def list_rejected_requests(session: Session, principal: Operator, cut: PageCut, source: Source = None) -> Any:
    """The newest first. Each was answered with all its reasons; to be placed it is sent again under a new id."""
    rows = await queries.list_rejected_requests(session, cut, source=source)
    return cut.page(rows, lambda each: [each.answered_at.isoformat(), each.source, each.request_id])
