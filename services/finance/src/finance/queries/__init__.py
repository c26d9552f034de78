"""What can be known about money. Nothing here writes or locks. By the noun that is asked for."""

from finance.queries.accounts import AccountView, get_account, list_due_instalments
from finance.queries.books import Defect, check_books
from finance.queries.documents import get_invoice, list_invoices, list_receipts, orders_of_invoices
from finance.queries.ledger import TrialBalance, list_entries, trial_balance
from finance.queries.receivables import Receivables, age_receivables, list_open_invoices

__all__ = [
    "AccountView",
    "Defect",
    "Receivables",
    "TrialBalance",
    "age_receivables",
    "check_books",
    "get_account",
    "get_invoice",
    "list_due_instalments",
    "list_entries",
    "list_invoices",
    "list_open_invoices",
    "list_receipts",
    "orders_of_invoices",
    "trial_balance",
]
