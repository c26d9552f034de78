"""Tables with their rules, and the refusals that they raise; by the noun that they are about."""

from portal.models.api_key import ApiKey
from portal.models.directory import Client, OrderType
from portal.models.model import Model
from portal.models.order_view import OrderView
from portal.models.sign_out import SignOut
from portal.models.task_view import TaskView
from portal.models.timeline import TimelineEntry
from portal.models.user import SignInAttempts, User

__all__ = [
    "ApiKey",
    "Client",
    "Model",
    "OrderType",
    "OrderView",
    "SignInAttempts",
    "SignOut",
    "TaskView",
    "TimelineEntry",
    "User",
]
