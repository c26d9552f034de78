"""What can be done: load, ask the model, record the fact. By the noun that it is done to."""

from project.operations.catalogue import learn_of_order_type, publish_template, replace_calendar_days
from project.operations.delivery import submit_deliverable, submit_delivery
from project.operations.evidence import log_time, record_inspection
from project.operations.people import describe_person, learn_of_user
from project.operations.projects import accept_delivery, cancel_project, hold_project, plan_project, resume_project
from project.operations.tasks import (
    block_task,
    finish_task,
    reassign_task,
    start_task,
    tell_overdue,
    unblock_task,
)

__all__ = [
    "accept_delivery",
    "block_task",
    "cancel_project",
    "describe_person",
    "finish_task",
    "hold_project",
    "learn_of_order_type",
    "learn_of_user",
    "log_time",
    "plan_project",
    "publish_template",
    "reassign_task",
    "record_inspection",
    "replace_calendar_days",
    "resume_project",
    "start_task",
    "submit_deliverable",
    "submit_delivery",
    "tell_overdue",
    "unblock_task",
]
