"""Answering systems outside: each request once, accepted with our ids or rejected with the reasons (rule 38)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox
from chassis.delivery import DeadLetter, Letter
from chassis.errors import FieldError, Refusal, Undeliverable
from contracts.integration import Answer, BodyError, ErpOrderAccepted, ErpOrderRejected
from order import intake
from order.envelope import Envelope
from order.models import InboundRequest, Order
from order.operations.orders import place_order
from order.operations.telling import locked

SERVICE = "order"
REJECTED_KEPT_DAYS = 90
"""Well beyond what the bus keeps: until then the same message may come again, and is not answered twice."""
DROPPED_AT_ONCE = 1_000


async def answer_request(session: AsyncSession, letter: Letter, *, company_currency: str, now: datetime) -> None:
    """Place the order that is asked for, and answer in the same transaction. A redelivery is not answered again.

    What is no request of ours goes to the dead letters, and is answered as well when its sender can be told.
    Raises `Undeliverable` when it cannot.
    """
    envelope = Envelope.read(letter)
    if await session.get(InboundRequest, (envelope.source, envelope.id)) is not None:
        return
    if envelope.wrong:
        outbox.forward_dead_letter(session, service=SERVICE, **_letter_parts(letter, envelope.wrong))
        return _reject(session, letter, envelope, [FieldError("", envelope.wrong)], external_id=None, now=now)
    actor = f"integration:{envelope.source}"
    outbox.set_cause(session, outbox.Cause(id=envelope.id, actor=actor))
    given = None
    try:
        given = intake.parse(envelope.data)
        placed = await place_order(
            session,
            given,
            source=envelope.source,
            requester=actor,
            company_currency=company_currency,
            now=now,
            came_by=(envelope.id, letter.key or envelope.id),
        )
    except Refusal as refusal:
        errors = refusal.errors or (FieldError("", str(refusal)),)
        if given is None:
            outbox.forward_dead_letter(session, service=SERVICE, **_letter_parts(letter, str(refusal)))
        return _reject(session, letter, envelope, errors, external_id=intake.external_id_of(given), now=now)
    await _accept(session, letter, envelope, placed.order, now=now)


async def give_up_request(session: AsyncSession, letter: Letter, reason: Exception, *, now: datetime) -> None:
    """Tell the sender, where it can be told, that its request could not be handled and is kept for us to look at."""
    try:
        envelope = Envelope.read(letter)
    except Undeliverable:
        return
    if await session.get(InboundRequest, (envelope.source, envelope.id)) is None:
        error = FieldError("", "It could not be handled on our side and is kept: send it again under a new id.")
        _reject(session, letter, envelope, [error], external_id=None, now=now)


async def _accept(session: AsyncSession, letter: Letter, envelope: Envelope, order: Order, *, now: datetime) -> None:
    order = await locked(session, order.order_id)
    accepted = ErpOrderAccepted(external_id=order.external_id or "", order_id=order.order_id, order_no=order.order_no)
    session.add(InboundRequest.accepted(envelope.source, envelope.id, order.order_id, now=now))
    _answer(session, letter, envelope, accepted)


def _reject(
    session: AsyncSession,
    letter: Letter,
    envelope: Envelope,
    errors: Sequence[FieldError],
    *,
    external_id: str | None,
    now: datetime,
) -> None:
    rejected = ErpOrderRejected(
        external_id=external_id, errors=tuple(BodyError(field=each.field, reason=each.reason) for each in errors)
    )
    session.add(InboundRequest.rejected(envelope.source, envelope.id, errors, external_id=external_id, now=now))
    _answer(session, letter, envelope, rejected)


def _answer(session: AsyncSession, letter: Letter, envelope: Envelope, answer: Answer) -> None:
    outbox.answer(session, answer, key=letter.key or envelope.id, recipient=envelope.source, request_id=envelope.id)


def _letter_parts(letter: Letter, reason: str) -> dict[str, str]:
    dead = DeadLetter.of_letter(letter, Undeliverable(reason))
    return {"key": dead.key, "type": dead.type, "body": dead.body}


async def drop_old_rejections(session: AsyncSession, *, now: datetime) -> bool:
    """Those that have been kept their time, the oldest first. False when none is left."""
    key = (InboundRequest.source, InboundRequest.request_id)
    too_old = InboundRequest.answered_at < now - timedelta(days=REJECTED_KEPT_DAYS)
    oldest = select(*key).where(InboundRequest.order_id.is_(None), too_old).order_by(InboundRequest.answered_at)
    dropped = await session.execute(
        delete(InboundRequest).where(tuple_(*key).in_(oldest.limit(DROPPED_AT_ONCE))).returning(*key)
    )
    return len(dropped.all()) == DROPPED_AT_ONCE
