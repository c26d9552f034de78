"""Tables with their rules, and the refusals that they raise; by the noun that they are about."""

from order.models.approval import ApprovalRung, Decision, ExchangeRate
from order.models.client import Client
from order.models.model import Model
from order.models.order import Order, OrderLine, OrderStatus
from order.models.order_type import OrderType
from order.models.rebuild import Rebuild
from order.models.request import InboundRequest
from order.models.thread import ThreadEntry

__all__ = [
    "ApprovalRung",
    "Client",
    "Decision",
    "ExchangeRate",
    "InboundRequest",
    "Model",
    "Order",
    "OrderLine",
    "OrderStatus",
    "OrderType",
    "Rebuild",
    "ThreadEntry",
]
