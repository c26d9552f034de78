"""HTTP in, operation or query called; decides nothing. One router by noun."""

from finance.api.accounts import accounts
from finance.api.invoices import invoices
from finance.api.ledger import ledger
from finance.api.receipts import receipts
from finance.api.receivables import receivables

routers = (accounts, invoices, receivables, receipts, ledger)

__all__ = ["routers"]
