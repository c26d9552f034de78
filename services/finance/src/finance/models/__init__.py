"""Tables with their rules, and the refusals that they raise; by the noun that they are about."""

from finance.models.account import Account, AccountStatus
from finance.models.instalment import Instalment, InstalmentStatus
from finance.models.invoice import Invoice, InvoiceSeries
from finance.models.ledger import LedgerAccount, LedgerEntry, LedgerLine
from finance.models.model import Model
from finance.models.receipt import Allocation, Receipt

__all__ = [
    "Account",
    "AccountStatus",
    "Allocation",
    "Instalment",
    "InstalmentStatus",
    "Invoice",
    "InvoiceSeries",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerLine",
    "Model",
    "Receipt",
]
