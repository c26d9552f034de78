"""Whatever happens, in whatever order: approved = billed + open + cancelled, and the ledger says the same (rule 20)."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal

import finance_world as world
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from chassis.errors import Refusal
from contracts.currencies import MINOR_DIGITS
from contracts.money import Money
from contracts.order import Term
from finance.models import Account, InstalmentStatus, Invoice, LedgerEntry, Receipt

NOW = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)
TODAY = NOW.date()
TERMS = (
    Term(code="advance", percent=Decimal("10.1"), due="on_approval"),
    Term(code="design", percent=Decimal("29.9"), due="on_milestone", milestone="design_approved"),
    Term(code="dated", percent=Decimal(25), due="on_date", date=dt.date(2027, 1, 15)),
    Term(code="acceptance", percent=Decimal(25), due="on_acceptance"),
    Term(code="retention", percent=Decimal(10), due="after_acceptance", days=90),
)


def smallest(units: int, currency: str) -> Money:
    """So many of the smallest unit."""
    return Money.rounded(Decimal(units).scaleb(-MINOR_DIGITS[currency]), currency)


class Books(RuleBasedStateMachine):
    """Several orders of one client, two currencies, and the ledger over all of them."""

    accounts = Bundle("accounts")

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[Account] = []
        self.invoices: list[Invoice] = []
        self.receipts: list[Receipt] = []
        self.entries: list[LedgerEntry] = []

    @rule(
        target=accounts,
        amounts=st.lists(st.integers(0, 500), min_size=1, max_size=3),
        rate=st.sampled_from(["0", "0.06", "0.13"]),
        currency=st.sampled_from(["CNY", "JPY"]),
    )
    def approve(self, amounts: list[int], rate: str, currency: str) -> Account:
        lines = [world.line(str(smallest(amount, currency).amount), rate, currency=currency) for amount in amounts]
        lines.append(world.line(str(smallest(7, currency).amount), "0.13", currency=currency))
        account = Account.open(world.approved(*lines, terms=TERMS, currency=currency))
        self.opened.append(account)
        return account

    @rule(account=accounts)
    def reach_a_milestone(self, account: Account) -> None:
        account.reach("design_approved", on=TODAY)

    @rule(account=accounts)
    def reach_a_date(self, account: Account) -> None:
        for each in account.instalments:
            account.reach_date(each.instalment_id)

    @rule(account=accounts)
    def accept(self, account: Account) -> None:
        if account.accept(on=TODAY):
            self.post(LedgerEntry.of_acceptance(account, accepted_on=TODAY, now=NOW))

    @rule(account=accounts)
    def hold(self, account: Account) -> None:
        account.hold()

    @rule(account=accounts)
    def resume(self, account: Account) -> None:
        account.resume()

    @rule(account=accounts)
    def cancel(self, account: Account) -> None:
        account.cancel()

    @rule(account=accounts, position=st.none() | st.integers(0, len(TERMS) - 1))
    def issue(self, account: Account, position: int | None) -> None:
        wanted = None if position is None else [account.instalments[position].instalment_id]
        try:
            billable = account.billable(wanted)
        except Refusal:
            return
        number = f"INV-2026-{len(self.invoices) + 1:05}"
        invoice = Invoice.issue(
            account, billable, number=number, issued_on=TODAY, payment_days=30, by="user:chen", now=NOW
        )
        self.invoices.append(invoice)
        self.post(LedgerEntry.of_invoice(account, invoice, now=NOW))

    @rule(account=accounts, amount=st.integers(1, 2000), picks=st.lists(st.integers(0, 5), max_size=3))
    def receive(self, account: Account, amount: int, picks: list[int]) -> None:
        money = smallest(amount, account.currency)
        receipt = Receipt.record(
            account, money, received_on=TODAY, today=TODAY, reference=None, by="user:chen", now=NOW
        )
        for pick in picks:
            if pick < len(self.invoices):
                invoice = self.invoices[pick]
                wanted = min(receipt.unallocated.amount, invoice.open_amount)
                try:
                    receipt.allocate(invoice, Money.rounded(wanted, account.currency))
                except Refusal:
                    continue
        self.receipts.append(receipt)
        for part in receipt.parts:
            of_part = next(each for each in self.opened if each.order_id == part.order_id)
            self.post(LedgerEntry.of_receipt(of_part, receipt, part, now=NOW))
            of_part.settle_if_paid()

    def post(self, entry: LedgerEntry | None) -> None:
        if entry is not None:
            self.entries.append(entry)

    @invariant()
    def every_order_is_conserved(self) -> None:
        for account in self.opened:
            sums: dict[str, Money] = defaultdict(lambda: Money.zero(account.currency))  # noqa: B023
            for each in account.instalments:
                assert 0 <= each.paid.amount <= each.total.amount
                assert each.is_billed == (each.status in ("invoiced", "paid") and bool(each.total))
                key = (
                    "billed" if each.is_billed else "cancelled" if each.status == InstalmentStatus.CANCELLED else "open"
                )
                sums[key] += each.total
            assert sums["billed"] + sums["open"] + sums["cancelled"] == account.total
            of_order = [invoice.total for invoice in self.invoices if invoice.order_id == account.order_id]
            assert Money.total(of_order, account.currency) == sums["billed"]
            assert (account.settled_on is None) or all(each.status == "paid" for each in account.instalments)

    @invariant()
    def every_receipt_is_spent_once(self) -> None:
        for receipt in self.receipts:
            assert receipt.unallocated.amount >= 0
            assert Money.total((part.amount for part in receipt.parts), receipt.currency) == receipt.total

    @invariant()
    def the_ledger_is_what_the_documents_say(self) -> None:
        posted: dict[tuple[object, str], Decimal] = defaultdict(Decimal)
        for entry in self.entries:
            assert sum(line.debit for line in entry.lines) == sum(line.credit for line in entry.lines) == entry.total
            for line in entry.lines:
                posted[entry.order_id, line.account] += line.debit - line.credit
        for account in self.opened:
            order_id, zero = account.order_id, Money.zero(account.currency)
            invoices = [each for each in self.invoices if each.order_id == order_id]
            kept = [each.unallocated for each in self.receipts if each.order_id == order_id]
            earned = account.net if account.accepted_on else zero
            expected = {
                "receivable": Money.total((each.open for each in invoices), account.currency),
                "client_credit": zero - Money.total(kept, account.currency),
                "vat_payable": zero - Money.total((each.tax for each in invoices), account.currency),
                "revenue": zero - earned,
                "contract_asset": earned - account.billed_net if account.accepted_on else zero,
                "contract_liability": zero if account.accepted_on else zero - account.billed_net,
            }
            assert {name: posted[order_id, name] for name in expected} == {
                name: money.amount for name, money in expected.items()
            }


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
