"""Who is told of which fact: the whole table, one function a fact. The words are in `texts`, under the fact's name.

An audience follows from what people have to do with the order, never from a list of followers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from contracts.event import OrderEvent
from contracts.finance import InstalmentDue, InstalmentsCancelled, InstalmentsPlanned, InvoiceIssued, ReceiptRecorded
from contracts.notify import Channel
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
    DeliverySubmitted,
    InspectionRecorded,
    MilestoneReached,
    ProjectCancelled,
    ProjectCreated,
    TaskBlocked,
    TaskOverdue,
    TaskReassigned,
)
from contracts.roles import GENERAL_MANAGER
from notify import texts
from notify.people import Person
from notify.related import Related

CHANNELS: tuple[Channel, ...] = ("email", "in_app")
IN_APP: tuple[Channel, ...] = ("in_app",)


@dataclass(frozen=True)
class Telling:
    """The same words for some people. `variant` names the text, where a fact has several."""

    people: Iterable[Person]
    values: dict[str, Any] = field(default_factory=dict)
    variant: str = ""
    channels: tuple[Channel, ...] = CHANNELS


Audience = Callable[[Any, Related], Iterator[Telling]]
A = TypeVar("A", bound=Audience)
AUDIENCES: dict[type[OrderEvent], Audience] = {}


def concerned(event: OrderEvent, of: Related) -> list[Telling]:
    """Everyone to be told of `event`, each once; `variant` is the text's whole name.

    No client's person is among them whose company is not on the order, or who is not meant to know (rule 33).
    """
    told: set[str] = set()
    tellings = []
    for telling in AUDIENCES[type(event)](event, of):
        name = event.type.rpartition(".")[0] + (f":{telling.variant}" if telling.variant else "")
        people = [each for each in telling.people if each.user_id not in told and _may_know(each, name, of)]
        told.update(each.user_id for each in people)
        if people:
            tellings.append(
                replace(telling, people=list({each.user_id: each for each in people}.values()), variant=name)
            )
    return tellings


def _may_know(person: Person, name: str, of: Related) -> bool:
    if person.is_client and person.client_id != of.order.client_id:
        return False
    return texts.has_text(name, for_client=person.is_client)


def tells(event_class: type[OrderEvent]) -> Callable[[A], A]:
    """The decorated function says whom `event_class` concerns. The first telling of a person counts."""

    def register(audience: A) -> A:
        AUDIENCES[event_class] = audience
        return audience

    return register


# Approval


@tells(OrderPlaced)
def first_approvers(event: OrderPlaced, of: Related) -> Iterator[Telling]:
    values = {
        "requester": of.people.name_of(event.requester),
        "total": event.total,
        "currency": event.currency,
        "revision": event.revision,
    }
    yield Telling(of.next_approvers(event.approval_steps[0].role) if event.approval_steps else (), values)


@tells(ApprovalDecided)
def next_approvers_or_requester(event: ApprovalDecided, of: Related) -> Iterator[Telling]:
    """The requester only sees it in the app: what it leads to, the order approved or rejected, is a mail anyway."""
    values = {"by": of.people.name_of(event.by), "step": event.step, "comment": event.comment}
    if event.next_role:
        yield Telling(of.next_approvers(event.next_role), values, variant="next")
    else:
        values |= {"is_approved": event.decision == "approved"}
        yield Telling(of.requester, values, variant="requester", channels=IN_APP)


@tells(OrderApproved)
def requester_and_client(event: OrderApproved, of: Related) -> Iterator[Telling]:
    yield Telling([*of.requester, *of.client], {"approved_on": event.approved_on})


@tells(OrderRejected)
def requester(event: OrderRejected, of: Related) -> Iterator[Telling]:
    values = {"by": of.people.name_of(event.by), "step": event.step, "reason": event.reason}
    yield Telling(of.requester, values)


# The order on its way


@tells(StageAdvanced)
def owners_of_the_new_stage(event: StageAdvanced, of: Related) -> Iterator[Telling]:
    stage = of.stage(event.to_stage)
    values = {"before": of.stage(event.from_stage).name, "stage": stage.name, "waiting_for": event.waiting_for}
    yield Telling(of.holders(stage.owner_role), values)


@tells(OrderHeld)
@tells(OrderResumed)
@tells(OrderCancelled)
def manager_requester_and_client(event: OrderHeld | OrderResumed | OrderCancelled, of: Related) -> Iterator[Telling]:
    """The reason is for people of the company only."""
    reason = {"by": of.people.name_of(event.by), "reason": event.reason}
    yield Telling(of.without(event.by, of.manager, of.requester), reason)
    yield Telling(of.client)


@tells(OrderClosed)
def requester_and_client_at_the_end(event: OrderClosed, of: Related) -> Iterator[Telling]:
    yield Telling([*of.requester, *of.client], {"closed_on": event.closed_on})


# The project


@tells(ProjectCreated)
def manager_and_assignees(event: ProjectCreated, of: Related) -> Iterator[Telling]:
    """Each once, with all of their tasks."""
    of_assignee: dict[str, list[Any]] = {}
    for task in event.tasks:
        if task.assignee:
            of_assignee.setdefault(task.assignee.id, []).append(task)
    plan = {
        "planned_start": event.planned_start,
        "planned_finish": event.planned_finish,
        "tasks_count": len(event.tasks),
    }
    for manager in of.manager:
        yield Telling([manager], plan | {"tasks": of_assignee.get(manager.user_id, [])}, variant="manager")
    for user_id, tasks in of_assignee.items():
        yield Telling(of.people.by_id(user_id), {"tasks": tasks})


@tells(TaskBlocked)
def manager_of_blocked_task(event: TaskBlocked, of: Related) -> Iterator[Telling]:
    values = {"by": of.people.name_of(event.by), "task": of.task(event.task_id).name, "reason": event.reason}
    yield Telling(of.without(event.by, of.manager), values)


@tells(TaskReassigned)
def both_owners(event: TaskReassigned, of: Related) -> Iterator[Telling]:
    task, before = of.task(event.task_id).name, event.from_person
    to_new = {"task": task, "reason": event.reason, "from_name": before.name if before else ""}
    yield Telling(of.people.by_id(event.to_person.id), to_new, variant="to")
    if before:
        to_old = {"task": task, "reason": event.reason, "to_name": event.to_person.name}
        yield Telling(of.people.by_id(before.id), to_old, variant="from")


@tells(TaskOverdue)
def assignee_then_higher(event: TaskOverdue, of: Related) -> Iterator[Telling]:
    """Level 1: who has the task. Level 2: the manager. From level 3: the general managers as well."""
    task = of.task(event.task_id)
    values: dict[str, Any] = {"task": task.name, "planned_finish": event.planned_finish}
    if event.level <= 1:
        yield Telling(of.assignee(task), values)
        return
    values |= {"level": event.level, "assignee": of.people.name_of(f"user:{task.assignee or ''}")}
    higher = of.holders(GENERAL_MANAGER) if event.level >= 3 else ()
    yield Telling([*of.manager, *higher], values, variant="higher")


@tells(InspectionRecorded)
def manager_and_quality(event: InspectionRecorded, of: Related) -> Iterator[Telling]:
    """Of a failed one. Quality is whoever owns the stage that waits for a passed one."""
    if event.result == "failed":
        values = {"by": of.people.name_of(event.by), "task": of.task(event.task_id).name, "note": event.note}
        yield Telling(of.without(event.by, of.manager, of.owners_of_exit("inspection.passed")), values)


@tells(MilestoneReached)
def manager_and_requester(event: MilestoneReached, of: Related) -> Iterator[Telling]:
    values = {"milestone": of.milestone_name(event.milestone_code), "reached_on": event.reached_on}
    yield Telling([*of.manager, *of.requester], values)


@tells(DeliverySubmitted)
def client_to_sign_off(event: DeliverySubmitted, of: Related) -> Iterator[Telling]:
    yield Telling(of.client, {"submitted_on": of.business_date(event.submitted_at)})


@tells(DeliveryAccepted)
def everyone_who_waited(event: DeliveryAccepted, of: Related) -> Iterator[Telling]:
    values = {"accepted_on": event.accepted_on, "note": event.note}
    yield Telling(of.without(event.accepted_by, of.manager, of.requester, of.finance), values)


@tells(ProjectCancelled)
def assignees_of_cancelled_tasks(event: ProjectCancelled, of: Related) -> Iterator[Telling]:
    """Each once, with all of their tasks."""
    of_assignee: dict[str, list[Any]] = {}
    for task in map(of.task, event.cancelled_tasks):
        if task.assignee:
            of_assignee.setdefault(task.assignee, []).append(task.name)
    for user_id, names in of_assignee.items():
        yield Telling(of.people.by_id(user_id), {"names": names})


# Money


@tells(InstalmentsPlanned)
def finance_for_those_due(event: InstalmentsPlanned, of: Related) -> Iterator[Telling]:
    due = [each for each in event.instalments if each.status == "due"]
    if due:
        values = {
            "codes": [each.code for each in due],
            "amount": sum(each.amount for each in due),
            "total": event.total,
            "currency": event.currency,
        }
        yield Telling(of.finance, values)


@tells(InstalmentDue)
def finance_for_one_due(event: InstalmentDue, of: Related) -> Iterator[Telling]:
    values = {
        "code": event.code,
        "due_date": event.due_date,
        "amount": of.order.instalments.get(str(event.instalment_id)),
        "currency": of.order.currency,
    }
    yield Telling(of.finance, values)


@tells(InvoiceIssued)
def client_to_pay(event: InvoiceIssued, of: Related) -> Iterator[Telling]:
    values = {
        "number": event.number,
        "issued_on": event.issued_on,
        "payable_by": event.payable_by,
        "tax": event.tax,
        "total": event.total,
        "currency": event.currency,
    }
    yield Telling(of.client, values)


@tells(ReceiptRecorded)
def finance_and_requester(event: ReceiptRecorded, of: Related) -> Iterator[Telling]:
    values = {
        "amount": event.amount,
        "received_on": event.received_on,
        "is_over": event.unallocated > 0,
        "unallocated": event.unallocated,
        "currency": event.currency,
    }
    yield Telling([*of.finance, *of.requester], values)


@tells(InstalmentsCancelled)
def finance_to_credit(event: InstalmentsCancelled, of: Related) -> Iterator[Telling]:
    yield Telling(of.finance, {"cancelled_count": len(event.cancelled), "invoices": list(event.kept_invoices)})


FACTS: Sequence[type[OrderEvent]] = tuple(AUDIENCES)
