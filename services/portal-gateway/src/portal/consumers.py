"""Facts in, operation called; decides nothing."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import utc_now
from chassis.consumers import Consumers
from chassis.delivery import Delivery
from contracts import finance, order, project, topics
from contracts.directory import ClientRegistered, OrderTypePublished
from contracts.event import OrderEvent
from portal import operations
from portal.operations.views import TaskEvent

view = Consumers("gateway.view")


@view.on_every(topics.ORDERS)
async def put_on_timeline(fact: Delivery, session: AsyncSession) -> None:
    """Before what each fact changes: the chassis calls this one first."""
    await operations.put_on_timeline(session, fact, now=utc_now())


@view.on(order.OrderPlaced)
@view.on(order.ApprovalDecided)
@view.on(order.OrderApproved)
@view.on(order.OrderRejected)
@view.on(order.StageAdvanced)
@view.on(order.OrderHeld)
@view.on(order.OrderResumed)
@view.on(order.OrderCancelled)
@view.on(order.DeliveryAccepted)
@view.on(order.OrderClosed)
@view.on(project.InspectionRecorded)
@view.on(project.DeliverableSubmitted)
@view.on(project.MilestoneReached)
@view.on(project.DeliverySubmitted)
@view.on(finance.InstalmentsPlanned)
@view.on(finance.InstalmentDue)
@view.on(finance.InstalmentDated)
@view.on(finance.InvoiceIssued)
@view.on(finance.ReceiptRecorded)
@view.on(finance.InstalmentPaid)
@view.on(finance.AccountSettled)
@view.on(finance.InstalmentsCancelled)
async def show_on_order(event: OrderEvent, session: AsyncSession) -> None:
    await operations.show(session, event)


@view.on(project.ProjectCreated)
async def show_project(event: project.ProjectCreated, session: AsyncSession) -> None:
    await operations.show_project(session, event)


@view.on(project.TaskStarted)
@view.on(project.TaskFinished)
@view.on(project.TaskBlocked)
@view.on(project.TaskUnblocked)
@view.on(project.TaskReassigned)
@view.on(project.TaskOverdue)
async def show_on_task(event: TaskEvent, session: AsyncSession) -> None:
    await operations.show_task(session, event)


@view.on(project.ProjectCancelled)
async def show_cancelled_project(event: project.ProjectCancelled, session: AsyncSession) -> None:
    await operations.show_cancelled_project(session, event)


@view.on(ClientRegistered)
async def know_client(event: ClientRegistered, session: AsyncSession) -> None:
    await operations.know_client(session, event)


@view.on(OrderTypePublished)
async def know_order_type(event: OrderTypePublished, session: AsyncSession) -> None:
    await operations.know_order_type(session, event)
