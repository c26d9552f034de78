"""The books: read only."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from chassis.http import Filter, PageCut, Session, holding, router
from chassis.paging import Page
from chassis.principal import Principal
from contracts.roles import ADMINISTRATOR, FINANCE, FINANCE_MANAGER, GENERAL_MANAGER
from finance import queries
from finance.schemas import DefectOut, LedgerEntryOut, TrialBalanceOut

ledger = router(prefix="/ledger", tags=["ledger"])

BookReader = Annotated[Principal, holding(FINANCE, FINANCE_MANAGER, GENERAL_MANAGER, ADMINISTRATOR)]
Auditor = Annotated[Principal, holding(FINANCE_MANAGER, ADMINISTRATOR)]


@ledger.get("/trial-balance", response_model=list[TrialBalanceOut])
async def trial_balance(
    session: Session, principal: BookReader, currency: Filter = None, until: date | None = None
) -> Any:
    """By currency, up to and with the date `until`."""
    return await queries.trial_balance(session, currency=currency, until=until)


@ledger.get("/entries", response_model=Page[LedgerEntryOut])
async def list_entries(session: Session, principal: BookReader, cut: PageCut, order_id: UUID | None = None) -> Any:
    """As they were posted."""
    return cut.page(await queries.list_entries(session, cut, order_id=order_id), lambda entry: [entry.entry_id])


@ledger.get("/check", response_model=list[DefectOut])
async def check_books(session: Session, principal: Auditor) -> Any:
    """Everything in the books that does not follow from the rest: nothing, when they are right."""
    return await queries.check_books(session)
