"""The rules of accounts, invoices, receipts and the ledger, without a database."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import finance_world as world
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Refusal
from contracts.currencies import MINOR_DIGITS
from contracts.money import Money
from contracts.order import Line, OrderApproved, Term
from finance.models import Account, InstalmentStatus, Invoice, LedgerAccount, LedgerEntry, Receipt
from finance.models.account import (
    AccountCancelled,
    AccountOnHold,
    InstalmentAlreadyInvoiced,
    InstalmentNotDue,
    InstalmentNotFound,
    NothingDue,
    OrderDoesNotAddUp,
)
from finance.models.ledger import Cause, EntryOutOfBalance
from finance.models.receipt import (
    AmountTooFine,
    InvoiceOfAnotherClient,
    MoreThanOpen,
    MoreThanReceived,
    ReceiptInAnotherCurrency,
    ReceivedInTheFuture,
    exactly,
)

NOW = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)
TODAY = NOW.date()
CURRENCIES = {0: "JPY", 2: "CNY", 3: "KWD", 4: "CLF"}


def cny(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="CNY")


def invoice_of(account: Account, *instalment_ids: UUID, number: str = "INV-2026-00001") -> Invoice:
    billable = account.billable(instalment_ids or None)
    return Invoice.issue(account, billable, number=number, issued_on=TODAY, payment_days=30, by="user:chen", now=NOW)


def receipt_of(account: Account, amount: str, received_on: dt.date = TODAY) -> Receipt:
    return Receipt.record(
        account,
        exactly(Decimal(amount), account.currency, field="/amount"),
        received_on=received_on,
        today=TODAY,
        reference=None,
        by="user:chen",
        now=NOW,
    )


def booked(entry: LedgerEntry | None) -> tuple[dict[str, str], dict[str, str]]:
    """Debits and credits."""
    assert entry is not None
    debits = {line.account.value: str(line.debit) for line in entry.lines if line.debit}  # type: ignore[attr-defined]
    credits = {line.account.value: str(line.credit) for line in entry.lines if line.credit}  # type: ignore[attr-defined]
    return debits, credits


def parts(*percents: Decimal | int) -> list[Term]:
    """Due on approval, all of them."""
    return [Term(code=f"part-{n}", percent=Decimal(percent), due="on_approval") for n, percent in enumerate(percents)]


@st.composite
def orders(draw: st.DrawFn) -> OrderApproved:
    """Any lines at any rates, in a currency of any number of digits, split by any percentages."""
    currency = draw(st.sampled_from(sorted(CURRENCIES.values())))
    places = MINOR_DIGITS[currency]
    nets = st.decimals(min_value=0, max_value=10**18, places=places) | st.decimals(0, 1, places=places)
    rates = st.sampled_from(["0", "0.06", "0.13", "0.130", "1", "0.000001"])
    lines = draw(st.lists(st.tuples(nets, rates), min_size=1, max_size=8))
    cuts = draw(st.lists(st.integers(1, 10**8 - 1), max_size=11, unique=True))
    edges = [0, *sorted(cuts), 10**8]
    percents = [Decimal(after - before).scaleb(-6) for before, after in pairwise(edges)]
    priced = [world.line(f"{net:f}", rate, currency=currency) for net, rate in lines]
    return world.approved(*priced, terms=parts(*percents), currency=currency)


@given(orders())
def test_rule_02_instalments_add_up_exactly_for_every_rate_and_none_is_negative(order: OrderApproved) -> None:
    account = Account.open(order)
    assert (account.net.amount, account.tax.amount, account.total.amount) == (order.net, order.tax, order.total)
    for name in ("net", "tax", "total"):
        amounts = [getattr(each, name) for each in account.instalments]
        assert Money.total(amounts, order.currency) == getattr(account, name)
        assert all(part.amount >= 0 for part in amounts)
    for rate in {line.tax_rate for line in order.lines}:
        for name in ("net", "tax"):
            amount = sum((getattr(line, name) for line in order.lines if line.tax_rate == rate), Decimal(0))
            whole = Money.rounded(amount, order.currency)
            shares = [_share(each.price.shares, rate, name) for each in account.instalments]
            assert shares == [part.amount for part in whole.split([each.percent for each in account.instalments])]


def _share(shares: object, rate: Decimal, name: str) -> Decimal:
    assert isinstance(shares, tuple)
    return next((getattr(share, name) for share in shares if share.tax_rate == rate), Decimal(0))


def test_rule_02_ten_tenths_of_five_cents_leave_none_negative() -> None:
    lines = (world.line("0.05"), world.line("0.05", "0.06"))
    account = Account.open(world.approved(*lines, terms=parts(*[10] * 10)))
    assert [each.net.amount for each in account.instalments] == [Decimal("0.02"), Decimal("0.00")] * 5
    assert [each.status for each in account.instalments] == ["due", "paid"] * 5


def test_rule_03_an_invoice_adds_the_already_rounded_shares_rate_by_rate() -> None:
    lines = (world.line("0.07"), world.line("0.08", "0.06"))
    account = Account.open(world.approved(*lines, terms=parts(Decimal("33.3"), Decimal("66.7"))))
    first, second = account.instalments
    invoice = invoice_of(account, first.instalment_id, second.instalment_id)
    assert (invoice.net, invoice.tax) == (account.net, account.tax)
    assert [(str(s.tax_rate), str(s.net), str(s.tax)) for s in invoice.shares] == [
        ("0.06", "0.08", "0.00"),
        ("0.13", "0.07", "0.01"),
    ]


def test_lines_that_are_not_the_order_s_price_open_no_account() -> None:
    with pytest.raises(OrderDoesNotAddUp):
        Account.open(world.approved().model_copy(update={"tax": Decimal("130.01")}))


def test_rule_20_each_fact_posts_what_the_table_says() -> None:
    account = Account.open(world.approved(terms=(*world.MACHINING[:2], world.RETENTION)))
    before = invoice_of(account)
    assert booked(LedgerEntry.of_invoice(account, before, now=NOW)) == (
        {"receivable": "339.00"},
        {"contract_liability": "300.00", "vat_payable": "39.00"},
    )
    account.accept(on=TODAY)
    assert booked(LedgerEntry.of_acceptance(account, accepted_on=TODAY, now=NOW)) == (
        {"contract_liability": "300.00", "contract_asset": "700.00"},
        {"revenue": "1000.00"},
    )
    after = invoice_of(account, number="INV-2026-00002")
    assert booked(LedgerEntry.of_invoice(account, after, now=NOW)) == (
        {"receivable": "678.00"},
        {"contract_asset": "600.00", "vat_payable": "78.00"},
    )
    receipt = receipt_of(account, "400.00")
    receipt.allocate(before, cny("339.00"))
    (part,) = receipt.parts
    assert booked(LedgerEntry.of_receipt(account, receipt, part, now=NOW)) == (
        {"bank": "400.00"},
        {"receivable": "339.00", "client_credit": "61.00"},
    )


def test_a_line_of_zero_is_not_posted_and_an_entry_of_nothing_neither() -> None:
    untaxed = Account.open(world.approved(world.line("10.00", "0")))
    _, credits = booked(LedgerEntry.of_invoice(untaxed, invoice_of(untaxed), now=NOW))
    assert credits == {"contract_liability": "3.00"}
    free = Account.open(world.approved(world.line("0.00")))
    free.accept(on=TODAY)
    assert LedgerEntry.of_acceptance(free, accepted_on=TODAY, now=NOW) is None


@pytest.mark.parametrize(("debit", "credit"), [("1.00", "1.01"), ("-1.00", "-1.00")])
def test_rule_20_an_entry_out_of_balance_is_never_made(debit: str, credit: str) -> None:
    account = Account.open(world.approved())
    with pytest.raises(EntryOutOfBalance):
        LedgerEntry.post(
            account,
            (Cause.RECEIPT, account.order_id),
            debits={LedgerAccount.BANK: cny(debit)},
            credits={LedgerAccount.RECEIVABLE: cny(credit)},
            posted_on=TODAY,
            now=NOW,
        )


def test_nothing_due_is_refused_with_what_each_instalment_waits_for() -> None:
    terms = (
        world.DESIGN.model_copy(update={"percent": Decimal(10)}),
        world.ACCEPTANCE,
        world.RETENTION,
        world.on_date(dt.date(2027, 1, 15), percent=20),
    )
    account = Account.open(world.approved(terms=terms))
    with pytest.raises(NothingDue) as refused:
        account.billable(None)
    assert str(refused.value) == (
        "Nothing of order SO-000042 is due: design waits for the milestone design_approved, acceptance waits for "
        "the acceptance, retention waits for the acceptance and 365 days, dated falls due on 2027-01-15."
    )
    paid = Account.open(world.approved(terms=(world.ADVANCE.model_copy(update={"percent": Decimal(100)}),)))
    invoice_of(paid)
    with pytest.raises(NothingDue, match="all of it is invoiced or paid"):
        paid.billable(None)


def test_an_instalment_is_invoiced_once_when_it_is_due_and_above_zero() -> None:
    terms = (world.ADVANCE, world.DESIGN, world.on_date(TODAY, percent=40))
    account = Account.open(world.approved(world.line("0.01", "0"), terms=terms))
    zero, design, dated = account.instalments
    assert [each.status for each in account.instalments] == ["paid", "planned", "planned"]
    for each, refusal in ((zero, InstalmentNotDue), (design, InstalmentNotDue), (dated, InstalmentNotDue)):
        with pytest.raises(refusal):
            account.billable([each.instalment_id])
    account.reach("design_approved", on=TODAY)
    invoice_of(account, design.instalment_id, design.instalment_id)
    with pytest.raises(InstalmentAlreadyInvoiced):
        account.billable([design.instalment_id])
    with pytest.raises(InstalmentNotFound):
        account.billable([UUID(int=9)])


def test_nothing_is_invoiced_on_hold_or_after_the_cancellation() -> None:
    account = Account.open(world.approved())
    account.hold()
    with pytest.raises(AccountOnHold):
        account.billable(None)
    account.cancel()
    with pytest.raises(AccountCancelled):
        account.billable(None)
    assert account.status == "cancelled"


def test_rule_16_a_receipt_pays_the_instalments_of_its_invoices_in_their_order() -> None:
    account = Account.open(world.approved())
    account.accept(on=TODAY)
    invoice = invoice_of(account)
    receipt_of(account, "339.00", dt.date(2026, 11, 5)).allocate(invoice, cny("339.00"))
    second = receipt_of(account, "600.00")
    second.allocate(invoice, cny("600.00"))
    assert [each.status for each in account.instalments] == ["paid", "invoiced", "planned"]
    assert [(each.instalment_id, str(each.amount)) for each in second.allocations] == [
        (account.instalments[1].instalment_id, "600.00")
    ]
    assert str(invoice.open_amount) == "78.00"
    assert account.instalments[0].paid_on == dt.date(2026, 11, 5)


def test_rule_16_more_than_open_or_received_is_never_allocated() -> None:
    account = Account.open(world.approved())
    invoice = invoice_of(account)
    with pytest.raises(MoreThanOpen):
        receipt_of(account, "1000.00").allocate(invoice, cny("339.01"))
    with pytest.raises(MoreThanReceived):
        receipt_of(account, "338.99").allocate(invoice, cny("339.00"))
    assert str(invoice.open_amount) == "339.00"


def test_a_receipt_is_of_one_client_in_one_currency_and_of_the_past() -> None:
    account = Account.open(world.approved())
    others = Account.open(world.approved(client_id=UUID(int=8)))
    euros = Account.open(world.approved(currency="EUR"))
    receipt = receipt_of(account, "1000.00")
    with pytest.raises(InvoiceOfAnotherClient):
        receipt.allocate(invoice_of(others), cny("1.00"))
    with pytest.raises(ReceiptInAnotherCurrency):
        receipt.allocate(invoice_of(euros), cny("1.00"))
    with pytest.raises(ReceivedInTheFuture):
        receipt_of(account, "1.00", TODAY + dt.timedelta(days=1))


@pytest.mark.parametrize(("amount", "currency"), [("1.5", "JPY"), ("0.001", "CNY"), ("0.0001", "KWD")])
def test_an_amount_finer_than_its_currency_is_refused_not_rounded(amount: str, currency: str) -> None:
    with pytest.raises(AmountTooFine) as refused:
        exactly(Decimal(amount), currency, field="/amount")
    assert isinstance(refused.value, Refusal)
    assert refused.value.errors[0].field == "/amount"
    assert str(exactly(Decimal("2"), currency, field="/amount").amount).startswith("2")


def test_an_account_is_settled_once_on_the_day_its_last_instalment_was_paid() -> None:
    account = Account.open(world.approved(terms=(world.ADVANCE, world.on_date(world.APPROVED_ON, percent=70))))
    invoice = invoice_of(account)
    assert not account.settle_if_paid()
    receipt_of(account, "1130.00", dt.date(2026, 11, 19)).allocate(invoice, invoice.total)
    assert account.settle_if_paid()
    assert not account.settle_if_paid()
    assert (account.settled_on, account.status) == (dt.date(2026, 11, 19), "settled")
    assert {each.status for each in account.instalments} == {InstalmentStatus.PAID}


def test_a_cancelled_account_is_settled_only_if_nothing_of_it_was_cancelled() -> None:
    account = Account.open(world.approved())
    invoice = invoice_of(account)
    cancelled = account.cancel()
    assert cancelled is not None
    assert [each.code for each in cancelled] == ["acceptance", "retention"]
    receipt_of(account, "339.00").allocate(invoice, invoice.total)
    assert not account.settle_if_paid()
    assert account.cancel() is None


def test_lines_of_one_rate_written_differently_share_it() -> None:
    lines: tuple[Line, ...] = (world.line("1.00", "0.13"), world.line("2.00", "0.130"))
    (share,) = Account.open(world.approved(*lines)).instalments[0].price.shares
    assert share.net == Decimal("0.90")
