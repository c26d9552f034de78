"""HTTP in, operation or query called; decides nothing. One router by noun."""

from finance.api.accounts import accounts
from finance.api.invoices import invoices
from finance.api.ledger import ledger
from finance.api.receipts import receipts

routers = (accounts, invoices, receipts, ledger)

__all__ = ["routers"]
