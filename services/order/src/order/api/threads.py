"""The threads of orders: everything that happened, whether nobody changed it, and what caused what."""

from typing import Any
from uuid import UUID

from chassis.http import Operator, PageCut, Session, Staff, router
from chassis.paging import Page
from order import queries
from order.queries import Traced
from order.schemas import ThreadEntryOut, TracedOut, VerificationOut

threads = router(tags=["threads"])


@threads.get("/orders/{order_id}/thread", response_model=Page[ThreadEntryOut])
async def read_thread(order_id: UUID, session: Session, principal: Staff, cut: PageCut) -> Any:
    """Everything that happened to the order, as it was published."""
    return cut.page(await queries.read_thread(session, order_id, cut), lambda entry: [entry.position])


@threads.get("/orders/{order_id}/thread/verification", response_model=VerificationOut)
async def verify_thread(order_id: UUID, session: Session, principal: Staff) -> Any:
    """Whether nobody changed the thread: every hash is computed again."""
    return await queries.verify_thread(session, order_id)


@threads.get("/threads/verification", response_model=Page[VerificationOut])
async def verify_threads(session: Session, principal: Operator, cut: PageCut) -> Any:
    """The same for every order, a page of them at a time."""
    return cut.page(await queries.verify_threads(session, cut), lambda verified: [verified.order_id])


@threads.get("/orders/{order_id}/trace", response_model=Page[TracedOut])
async def trace_order(order_id: UUID, session: Session, principal: Staff, cut: PageCut) -> Any:
    """The tree of what caused what: each fact names the one that caused it, which stands before it."""
    page = cut.page(await queries.trace(session, order_id, cut), lambda traced: [traced.entry.position])
    return page | {"items": [_traced(traced) for traced in page["items"]]}


def _traced(traced: Traced) -> TracedOut:
    entry = traced.entry
    return TracedOut(
        position=entry.position,
        event_id=entry.event_id,
        type=entry.type,
        teller=entry.source,
        actor=entry.actor,
        time=entry.time,
        cause_id=entry.causation_id,
        cause_position=traced.cause_position,
        ms_since_cause=traced.ms_since_cause,
    )
