"""People, companies, and the life of an order as the gateway hears of it."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from contracts.directory import ClientRegistered, OrderTypePublished
from contracts.event import Event, OrderEvent
from contracts.finance import (
    AccountSettled,
    InstalmentDated,
    InstalmentDue,
    InstalmentPaid,
    InstalmentsCancelled,
    InstalmentsPlanned,
    InvoiceIssued,
    ReceiptRecorded,
)
from contracts.notify import NoticeGiven
from contracts.order import (
    ApprovalDecided,
    DeliveryAccepted,
    OrderApproved,
    OrderCancelled,
    OrderClosed,
    OrderHeld,
    OrderPlaced,
    OrderRejected,
    OrderResumed,
    StageAdvanced,
)
from contracts.project import (
    DeliverableSubmitted,
    DeliverySubmitted,
    InspectionRecorded,
    MilestoneReached,
    ProjectCancelled,
    ProjectCreated,
    TaskBlocked,
    TaskFinished,
    TaskOverdue,
    TaskReassigned,
    TaskStarted,
    TaskUnblocked,
    TimeLogged,
)
from stack import Running, Who

EXAMPLES = Path(__file__).parents[1] / "contracts" / "examples"

ADMINISTRATOR = Who("admin", ("administrator",))
SALES = Who("wang", ("sales",))
SALES_MANAGER = Who("li", ("sales_manager",))
FINANCE_MANAGER = Who("chen", ("finance_manager",))
PLANNER = Who("zhou", ("planner",))

E = TypeVar("E", bound=Event)


def example(event_class: type[E], **changes: Any) -> E:
    """The contracts' example, which is about one and the same order as all the others."""
    event = event_class.model_validate_json((EXAMPLES / f"{event_class.type}.json").read_text())
    return event.model_copy(update=changes)


ORDER = example(OrderPlaced).order_id
COMPANY = example(OrderPlaced).client
CLIENT = Who("lin", ("client",), kind="client", client_id=COMPANY.id)
STRANGER = Who("kim", ("client",), kind="client", client_id=UUID(int=7))
"""A person at another company."""

DIRECTORY = (example(ClientRegistered), example(OrderTypePublished))

UNTIL_APPROVED: tuple[OrderEvent, ...] = (
    example(OrderPlaced),
    example(ApprovalDecided),
    example(ApprovalDecided, step=2, role="finance_manager", next_role=None),
    example(OrderApproved),
    example(StageAdvanced),
)
UNTIL_PLANNED: tuple[OrderEvent, ...] = (
    *UNTIL_APPROVED,
    example(ProjectCreated),
    example(InstalmentsPlanned),
    example(NoticeGiven),
)
WORK: tuple[OrderEvent, ...] = (
    example(OrderHeld),
    example(OrderResumed),
    example(TaskStarted),
    example(TaskBlocked),
    example(TaskUnblocked),
    example(TaskReassigned),
    example(TaskOverdue),
    example(TimeLogged),
    example(TaskFinished),
    example(InspectionRecorded),
    example(DeliverableSubmitted),
    example(MilestoneReached),
    example(InvoiceIssued),
    example(ReceiptRecorded),
    example(InstalmentPaid),
)
END: tuple[OrderEvent, ...] = (
    example(DeliverySubmitted),
    example(DeliveryAccepted),
    example(InstalmentDue),
    example(InstalmentDated),
    example(AccountSettled),
    example(OrderClosed),
)
LIFE = (*UNTIL_PLANNED, *WORK, *END)
REJECTED = (example(OrderPlaced), example(OrderRejected))
CANCELLED = (*UNTIL_PLANNED, example(OrderCancelled), example(ProjectCancelled), example(InstalmentsCancelled))


def placed(number: int, **changes: Any) -> OrderPlaced:
    """Another order; a higher number is a newer one."""
    return example(OrderPlaced, order_id=UUID(int=number + 1), order_no=f"ORD-{number:06}", **changes)


async def hear_one_by_one(gateway: Running, *events: Event) -> None:
    """As on a calm day; `gateway.hear` is one batch."""
    for event in events:
        await gateway.hear(event)


async def picture(gateway: Running) -> list[Any]:
    """Everything that the read model holds."""
    return [
        await gateway.rows("SELECT * FROM order_views ORDER BY order_id"),
        await gateway.rows("SELECT * FROM task_views ORDER BY order_id, position"),
        await gateway.rows("SELECT * FROM timeline ORDER BY order_id, position"),
        await gateway.rows("SELECT * FROM clients ORDER BY client_id"),
        await gateway.rows("SELECT * FROM order_type_views ORDER BY code, version"),
    ]


def texts_in(document: Any) -> Iterator[str]:
    """Every text and number somewhere in an answer."""
    if isinstance(document, dict):
        for value in document.values():
            yield from texts_in(value)
    elif isinstance(document, list):
        for value in document:
            yield from texts_in(value)
    elif isinstance(document, str | int | Decimal):
        yield str(document)
