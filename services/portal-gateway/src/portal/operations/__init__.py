"""What can be done: load, ask the model, record the fact. By the noun that it is done to."""

from portal.operations.api_keys import issue_api_key, withdraw_api_key
from portal.operations.directory import know_client, know_order_type
from portal.operations.sign_in import change_own_password, forget_old_attempts, sign_in
from portal.operations.sign_out import forget_old_sign_outs, sign_out, sign_out_everywhere
from portal.operations.users import (
    change_own_locale,
    change_user,
    register_first_administrator,
    register_user,
    set_password,
)
from portal.operations.views import put_on_timeline, show, show_cancelled_project, show_project, show_task

__all__ = [
    "change_own_locale",
    "change_own_password",
    "change_user",
    "forget_old_attempts",
    "forget_old_sign_outs",
    "issue_api_key",
    "know_client",
    "know_order_type",
    "put_on_timeline",
    "register_first_administrator",
    "register_user",
    "set_password",
    "show",
    "show_cancelled_project",
    "show_project",
    "show_task",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "withdraw_api_key",
]
