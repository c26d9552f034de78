"""What can be done: load, ask the model, record the fact. By the noun that it is done to."""

from finance.operations.accounts import (
    accept_delivery,
    cancel_account,
    hold_account,
    open_account,
    reach_date,
    reach_milestone,
    resume_account,
)
from finance.operations.invoices import issue_invoice
from finance.operations.receipts import record_receipt

__all__ = [
    "accept_delivery",
    "cancel_account",
    "hold_account",
    "issue_invoice",
    "open_account",
    "reach_date",
    "reach_milestone",
    "record_receipt",
    "resume_account",
]
