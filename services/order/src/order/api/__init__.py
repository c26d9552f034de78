"""HTTP in, operation or query called; decides nothing. One router by noun."""

from order.api.approvals import approvals
from order.api.catalogue import catalogue
from order.api.imports import imports
from order.api.orders import orders
from order.api.rebuilds import rebuilds
from order.api.requests import requests
from order.api.threads import threads

routers = (imports, orders, threads, approvals, catalogue, rebuilds, requests)
"""`imports` first: its path is more exact than `orders/{order_id}`."""

__all__ = ["routers"]
