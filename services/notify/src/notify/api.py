"""HTTP in, operation or query called; decides nothing."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends

from chassis.http import Now, PageCut, Session, SignedIn, Staff, router
from chassis.paging import Page
from chassis.principal import NotAllowed, Principal
from notify import operations, queries
from notify.models import Notice
from notify.schemas import CountsOut, NoticeOut, ReadOut, RecordedNoticeOut

notices = router(prefix="/notices", tags=["notices"])
orders = router(prefix="/orders/{order_id}/notices", tags=["notices"])


async def _person(principal: SignedIn) -> Principal:
    if principal.kind == "integration":
        raise NotAllowed("Notices are for people: systems are told on the bus.")
    return principal


Reader = Annotated[Principal, Depends(_person)]
"""A person of the company or of a client: each has their own notices and sees no others."""


@notices.get("", response_model=Page[NoticeOut])
async def list_my_notices(session: Session, reader: Reader, cut: PageCut, unread: bool = False) -> Any:
    """The newest first."""
    rows = await queries.my_notices(session, reader, cut, unread=unread)
    return cut.page(rows, lambda notice: [notice.given_at, notice.notice_id])


@notices.post("/read-all")
async def read_all_notices(session: Session, reader: Reader, now: Now) -> ReadOut:
    return ReadOut(read=await operations.read_all_notices(session, by=reader, now=now))


@notices.post("/{notice_id}/read", response_model=NoticeOut)
async def read_notice(notice_id: UUID, session: Session, reader: Reader, now: Now) -> Notice:
    return await operations.read_notice(session, notice_id, by=reader, now=now)


@orders.get("", response_model=Page[RecordedNoticeOut])
async def list_notices_about_order(order_id: UUID, session: Session, principal: Staff, cut: PageCut) -> Any:
    """Who was told what, when and on which channel; the oldest first."""
    rows = await queries.notices_about(session, order_id, cut)
    return cut.page(rows, lambda notice: [notice.given_at, notice.notice_id])


@orders.get("/counts")
async def count_notices_about_order(order_id: UUID, session: Session, principal: Staff) -> CountsOut:
    return CountsOut.model_validate(await queries.count_notices_about(session, order_id))


routers = (notices, orders)
