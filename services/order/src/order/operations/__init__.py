"""What can be done: load, ask the model, record the fact. By the noun that it is done to."""

from order.operations.approval import approve_order, reject_order, replace_ladder, replace_rates
from order.operations.catalogue import publish_order_type, register_client
from order.operations.delivery import (
    accept_delivery,
    learn_of_delivery,
    learn_of_finished_task,
    learn_of_inspection,
    learn_of_project,
)
from order.operations.imports import import_orders
from order.operations.money import learn_of_invoice, learn_of_receipt, learn_of_settlement
from order.operations.orders import cancel_order, edit_order, hold_order, place_draft, place_order, resume_order
from order.operations.rebuild import start_rebuild, tell_archive
from order.operations.requests import answer_request, drop_old_rejections, give_up_request
from order.operations.thread import append_to_thread

__all__ = [
    "accept_delivery",
    "answer_request",
    "append_to_thread",
    "approve_order",
    "cancel_order",
    "drop_old_rejections",
    "edit_order",
    "give_up_request",
    "hold_order",
    "import_orders",
    "learn_of_delivery",
    "learn_of_finished_task",
    "learn_of_inspection",
    "learn_of_invoice",
    "learn_of_project",
    "learn_of_receipt",
    "learn_of_settlement",
    "place_draft",
    "place_order",
    "publish_order_type",
    "register_client",
    "reject_order",
    "replace_ladder",
    "replace_rates",
    "resume_order",
    "start_rebuild",
    "tell_archive",
]
