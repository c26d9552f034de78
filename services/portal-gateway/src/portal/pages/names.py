"""What things are called on pages. What is not named here, like a fact of a type that is new, shows its own name."""

from portal.pages.language import N_

ORDER_STATUS = {
    "draft": N_("Draft"),
    "submitted": N_("Waiting for approval"),
    "approved": N_("Under way"),
    "rejected": N_("Rejected"),
    "on_hold": N_("On hold"),
    "cancelled": N_("Cancelled"),
    "delivered": N_("Delivered"),
    "closed": N_("Closed"),
}
ORDERS_SHOWN = ORDER_STATUS | {"late": N_("Late")}
"""What a list of orders can be narrowed down to."""
TASK_STATUS = {
    "planned": N_("Not started"),
    "started": N_("In progress"),
    "blocked": N_("Blocked"),
    "finished": N_("Finished"),
    "cancelled": N_("Cancelled"),
}
TASK_MARK = {"started": "now", "blocked": "waiting", "finished": "done", "cancelled": "skipped"}
"""How a task is marked; else it is `next`. A client is told of none that is blocked."""
MONEY_STATUS = {
    "planned": N_("Not due yet"),
    "due": N_("To be invoiced"),
    "invoiced": N_("Invoiced"),
    "paid": N_("Paid"),
    "cancelled": N_("Cancelled"),
    "retained": N_("Retained"),
    "overdue": N_("Overdue"),
}
DUE_RULE = {
    "on_approval": N_("on approval"),
    "on_acceptance": N_("on acceptance"),
    "on_milestone": N_("at a milestone"),
    "after_acceptance": N_("after acceptance"),
    "on_date": N_("on a date"),
}
INSPECTION = {"passed": N_("passed"), "failed": N_("failed")}
DECISION = {"approved": N_("approved"), "rejected": N_("rejected")}
STAGE_FACT = {
    "order.approved": N_("approval of the order"),
    "stage_tasks_finished": N_("the tasks of this stage"),
    "inspection.passed": N_("a passed inspection"),
    "delivery.submitted": N_("submission of the delivery"),
    "delivery.accepted": N_("acceptance by the client"),
}
ROLE = {
    "administrator": N_("administrator"),
    "client": N_("client"),
    "sales": N_("sales"),
    "sales_manager": N_("sales manager"),
    "finance": N_("finance"),
    "finance_manager": N_("finance manager"),
    "general_manager": N_("general manager"),
    "project_manager": N_("project manager"),
    "operator": N_("operator"),
    "architect": N_("architect"),
    "business_analyst": N_("business analyst"),
    "developer": N_("developer"),
    "machinist": N_("machinist"),
    "process_engineer": N_("process engineer"),
    "production_planner": N_("production planner"),
    "purchaser": N_("purchaser"),
    "quality_inspector": N_("quality inspector"),
    "tester": N_("tester"),
    "warehouse": N_("warehouse"),
}
FACT = {
    "order.placed.v1": N_("Order placed"),
    "approval.decided.v1": N_("Approval decided"),
    "order.approved.v1": N_("Order approved"),
    "order.rejected.v1": N_("Order rejected"),
    "order.stage_advanced.v1": N_("Next stage reached"),
    "order.held.v1": N_("Order put on hold"),
    "order.resumed.v1": N_("Order resumed"),
    "order.cancelled.v1": N_("Order cancelled"),
    "order.closed.v1": N_("Order closed"),
    "project.created.v1": N_("Project planned"),
    "project.cancelled.v1": N_("Project cancelled"),
    "task.started.v1": N_("Task started"),
    "task.finished.v1": N_("Task finished"),
    "task.blocked.v1": N_("Task blocked"),
    "task.unblocked.v1": N_("Task unblocked"),
    "task.reassigned.v1": N_("Task reassigned"),
    "task.overdue.v1": N_("Task overdue"),
    "time.logged.v1": N_("Time logged"),
    "inspection.recorded.v1": N_("Inspection recorded"),
    "deliverable.submitted.v1": N_("Deliverable submitted"),
    "milestone.reached.v1": N_("Milestone reached"),
    "delivery.submitted.v1": N_("Delivery submitted"),
    "delivery.accepted.v1": N_("Delivery accepted"),
    "instalments.planned.v1": N_("Instalments planned"),
    "instalment.due.v1": N_("Instalment may be invoiced"),
    "instalment.dated.v1": N_("Instalment has a date"),
    "instalment.paid.v1": N_("Instalment paid"),
    "invoice.issued.v1": N_("Invoice issued"),
    "receipt.recorded.v1": N_("Payment received"),
    "account.settled.v1": N_("Everything paid"),
    "instalments.cancelled.v1": N_("Instalments cancelled"),
    "notice.given.v1": N_("People told"),
}
SAID = {
    "approved": N_("Approved."),
    "rejected": N_("Rejected. The requester is told why."),
    "held": N_("The order is on hold. Everyone who works on it is told."),
    "resumed": N_("The order goes on."),
    "cancelled": N_("The order is cancelled."),
    "accepted": N_("You have accepted the delivery. Thank you for confirming it."),
    "started": N_("Started."),
    "finished": N_("Finished."),
    "blocked": N_("Blocked. Who answers for the order is told why."),
    "unblocked": N_("Goes on."),
    "logged": N_("Hours logged."),
    "reassigned": N_("The task is handed over. Both owners are told."),
    "inspected": N_("Inspection recorded."),
    "handed_in": N_("The new version is recorded."),
    "delivered": N_("The delivery is submitted. The client is asked to accept it."),
    "invoiced": N_("The invoice is issued."),
    "received": N_("The payment is recorded."),
    "placed": N_("The order is placed."),
    "saved": N_("Saved."),
    "read": N_("Marked as read."),
    "retried": N_("Applied. The key flows again."),
    "discarded": N_("Discarded. It is kept, with who did it and why."),
}
"""What has just been done, by the word in the address."""
