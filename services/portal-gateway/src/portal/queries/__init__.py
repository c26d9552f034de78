"""What can be known. Nothing here writes or locks. By the noun that it is about."""

from portal.queries.access import (
    API_KEYS,
    SIGN_OUTS,
    client_of_code,
    find_user,
    get_user,
    has_users,
    is_signed_out,
    list_api_keys,
    list_users,
    user_of_email,
    user_of_name,
)
from portal.queries.orders import (
    Wanted,
    get_order,
    known_facts,
    list_orders,
    list_stamps,
    newest_of_timeline,
    read_timeline,
    stages_of_board,
    stamped,
)
from portal.queries.work import list_approvals, list_tasks

__all__ = [
    "API_KEYS",
    "SIGN_OUTS",
    "Wanted",
    "client_of_code",
    "find_user",
    "get_order",
    "get_user",
    "has_users",
    "is_signed_out",
    "known_facts",
    "list_api_keys",
    "list_approvals",
    "list_orders",
    "list_stamps",
    "list_tasks",
    "list_users",
    "newest_of_timeline",
    "read_timeline",
    "stages_of_board",
    "stamped",
    "user_of_email",
    "user_of_name",
]
