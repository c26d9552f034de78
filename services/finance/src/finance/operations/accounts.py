"""What the facts of an order do to its account. A fact is never refused: what comes too late changes nothing."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import roots
from chassis.clock import start_of
from chassis.timers import cancel_timers, set_timer
from contracts.order import DeliveryAccepted, OrderApproved, OrderCancelled
from contracts.project import MilestoneReached
from finance.models import Account, Instalment, LedgerEntry
from finance.operations.telling import post, tell_cancelled, tell_dated, tell_due, tell_plan
from finance.queries.accounts import WITH_INSTALMENTS, WITH_INVOICES

DATE_TIMER = "instalment_date"


async def open_account(session: AsyncSession, approved: OrderApproved, *, zone: ZoneInfo) -> None:
    """An account that is there already stays as it is, and nothing is told. Raises `OrderDoesNotAddUp`."""
    if await roots.lock(session, Account, approved.order_id) is not None:
        return
    account = Account.open(approved)
    roots.add(session, account)
    session.add_all(account.instalments)
    tell_plan(session, account)
    for each in account.instalments:
        if each.is_planned and each.due_date is not None:
            _set_date_timer(session, account, each, zone=zone)


async def reach_milestone(session: AsyncSession, reached: MilestoneReached) -> None:
    """The instalments that waited for the milestone fall due."""
    account = await _locked(session, reached.order_id)
    if account is not None:
        due = account.reach(reached.milestone_code, on=reached.reached_on)
        tell_due(session, account, due, because="milestone")


async def accept_delivery(session: AsyncSession, accepted: DeliveryAccepted, *, zone: ZoneInfo, now: datetime) -> None:
    """Revenue is earned; the instalments that waited for the acceptance fall due, now or on a date known now."""
    account = await _locked(session, accepted.order_id)
    acceptance = account.accept(on=accepted.accepted_on) if account is not None else None
    if account is None or acceptance is None:
        return
    post(session, LedgerEntry.of_acceptance(account, accepted_on=accepted.accepted_on, now=now))
    for each in acceptance.dated:
        tell_dated(session, account, each)
        _set_date_timer(session, account, each, zone=zone)
    tell_due(session, account, acceptance.due, because="acceptance")


async def reach_date(session: AsyncSession, *, order_id: UUID, instalment_id: UUID) -> None:
    """The date of an instalment has come."""
    account = await _locked(session, order_id)
    if account is not None:
        tell_due(session, account, account.reach_date(instalment_id), because="date")


async def hold_account(session: AsyncSession, order_id: UUID) -> None:
    """No invoice is issued until the order is resumed."""
    account = await roots.lock(session, Account, order_id)
    if account is not None:
        account.hold()


async def resume_account(session: AsyncSession, order_id: UUID) -> None:
    account = await roots.lock(session, Account, order_id)
    if account is not None:
        account.resume()


async def cancel_account(session: AsyncSession, cancelled: OrderCancelled) -> None:
    """What was not invoiced will not be; what was is told, for finance to credit."""
    account = await _locked(session, cancelled.order_id, WITH_INVOICES)
    instalments = account.cancel() if account is not None else None
    if account is None or instalments is None:
        return
    await cancel_timers(session, order_id=account.order_id)
    tell_cancelled(session, account, instalments)


async def _locked(session: AsyncSession, order_id: UUID, *options: Any) -> Account | None:
    """With its instalments, read by a statement of their own.

    Joined to the row that is waited for, they would be as they were before the wait.
    """
    return await roots.lock(session, Account, order_id, WITH_INSTALMENTS, *options)


def _set_date_timer(session: AsyncSession, account: Account, instalment: Instalment, *, zone: ZoneInfo) -> None:
    assert instalment.due_date is not None
    set_timer(
        session,
        kind=DATE_TIMER,
        order_id=account.order_id,
        subject=str(instalment.instalment_id),
        due_at=start_of(instalment.due_date, zone),
    )
