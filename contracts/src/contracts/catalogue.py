"""Every fact of the bus by its name on the wire. Documents, schemas and examples are generated from here."""

from contracts import directory, finance, integration, notify, order, project
from contracts.event import Event

EVENTS: dict[str, type[Event]] = {
    event.type: event
    for event in (
        order.OrderPlaced,
        order.ApprovalDecided,
        order.OrderApproved,
        order.OrderRejected,
        order.StageAdvanced,
        order.OrderHeld,
        order.OrderResumed,
        order.OrderCancelled,
        order.DeliveryAccepted,
        order.OrderClosed,
        project.ProjectCreated,
        project.TaskStarted,
        project.TaskFinished,
        project.TaskBlocked,
        project.TaskUnblocked,
        project.TaskReassigned,
        project.TaskOverdue,
        project.TimeLogged,
        project.InspectionRecorded,
        project.DeliverableSubmitted,
        project.MilestoneReached,
        project.DeliverySubmitted,
        project.ProjectCancelled,
        finance.InstalmentsPlanned,
        finance.InstalmentDue,
        finance.InstalmentDated,
        finance.InvoiceIssued,
        finance.ReceiptRecorded,
        finance.InstalmentPaid,
        finance.AccountSettled,
        finance.InstalmentsCancelled,
        notify.NoticeGiven,
        directory.ClientRegistered,
        directory.OrderTypePublished,
        directory.UserRegistered,
        directory.UserChanged,
        integration.ErpOrderAccepted,
        integration.ErpOrderRejected,
        integration.ErpOrderProgressed,
    )
}
"""Told by the five services."""

REQUESTS: dict[str, type[integration.ErpOrderRequested]] = {
    integration.ErpOrderRequested.type: integration.ErpOrderRequested
}
"""Told by systems outside."""

MESSAGES = EVENTS | REQUESTS
