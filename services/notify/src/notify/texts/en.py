"""English."""

from datetime import date

from notify.texts.text import Language, Text

FACTS = {
    "order.approved": "the order's approval",
    "stage_tasks_finished": "all of its tasks",
    "inspection.passed": "a passed inspection",
    "delivery.submitted": "the delivery",
    "delivery.accepted": "the client's sign-off",
}
FOOT = """
Order {{ order_no }}: {{ title }}
{{ link }}
"""


def day(value: date) -> str:
    return f"{value:%a} {value.day} {value:%b %Y}"


TASKS = (
    "{% for task in tasks %}\n- {{ task.name|label }}, "
    "{{ task.planned_start|day }} to {{ task.planned_finish|day }}{% endfor %}"
)

STAFF: dict[str, Text] = {
    "order.placed": Text(
        subject="Waiting on you: approve order {{ order_no }}, {{ title }}",
        happened="{{ requester }} placed the order for {{ client }}: {{ total|money(currency) }} in total"
        "{% if revision > 1 %}, edited and placed again (revision {{ revision }}){% endif %}.",
        then="Open the order to approve or reject it.",
    ),
    "approval.decided:next": Text(
        subject="Waiting on you: approve order {{ order_no }}, {{ title }}",
        happened="{{ by }} approved step {{ step }} of the order for {{ client }}"
        "{% if comment %}: {{ comment }}{% else %}.{% endif %}",
        then="The next step is yours. Open the order to approve or reject it.",
    ),
    "approval.decided:requester": Text(
        subject="Order {{ order_no }}: step {{ step }} {{ 'approved' if is_approved else 'rejected' }}",
        happened="{{ by }} {{ 'approved' if is_approved else 'rejected' }} step {{ step }} of your order"
        "{% if comment %}: {{ comment }}{% else %}.{% endif %}",
        then="Open the order to see every decision on it.",
    ),
    "order.approved": Text(
        subject="Order {{ order_no }} is approved",
        happened="Your order for {{ client }} was approved on {{ approved_on|day }}. The project begins.",
        then="Open the order to see its plan as soon as the tasks are assigned.",
    ),
    "order.rejected": Text(
        subject="Order {{ order_no }} was rejected at step {{ step }}",
        happened="{{ by }} rejected your order for {{ client }}: {{ reason }}",
        then="Edit the order and place it again, or leave it as it is.",
    ),
    "order.stage_advanced": Text(
        subject="Order {{ order_no }} is in {{ stage|label }}",
        happened="The order has left {{ before|label }} and is in {{ stage|label }} now."
        "{% if waiting_for %} That stage waits for {{ waiting_for|facts }}.{% endif %}",
        then="Open the order to see what is yours to do in this stage.",
    ),
    "order.held": Text(
        subject="Order {{ order_no }} is on hold",
        happened="{{ by }} put the order for {{ client }} on hold: {{ reason }}",
        then="No task is started and no invoice issued until the order is resumed. Tasks under way can be finished.",
    ),
    "order.resumed": Text(
        subject="Order {{ order_no }} goes on",
        happened="{{ by }} resumed the order for {{ client }}{% if reason %}: {{ reason }}{% else %}.{% endif %}",
        then="Tasks can be started and invoices issued again.",
    ),
    "order.cancelled": Text(
        subject="Order {{ order_no }} is cancelled",
        happened="{{ by }} cancelled the order for {{ client }}: {{ reason }}",
        then="Open tasks and instalments that were not invoiced are cancelled with it.",
    ),
    "order.closed": Text(
        subject="Order {{ order_no }} is closed",
        happened="The order for {{ client }} is accepted and paid in full; it was closed on {{ closed_on|day }}.",
        then="Nothing is left to do. The order and its thread stay readable.",
    ),
    "project.created": Text(
        subject="Order {{ order_no }}: {{ tasks|length }} task{{ 's' if tasks|length > 1 }} for you",
        happened="The project for {{ client }} has begun. Your tasks:" + TASKS,
        then="Open the order to see what comes before each task, and start when it is your turn.",
    ),
    "project.created:manager": Text(
        subject="Order {{ order_no }}: you lead the project, {{ planned_start|day }} to {{ planned_finish|day }}",
        happened="The project for {{ client }} has begun with {{ tasks_count }} tasks, planned from "
        "{{ planned_start|day }} to {{ planned_finish|day }}."
        "{% if tasks %} Your own tasks:" + TASKS + "{% endif %}",
        then="Open the order to see the plan, and reassign tasks where that is better.",
    ),
    "task.blocked": Text(
        subject="Order {{ order_no }}: {{ task|label }} is blocked",
        happened="{{ by }} cannot go on with {{ task|label }}: {{ reason }}",
        then="Clear what is in the way, or reassign the task.",
    ),
    "task.reassigned:to": Text(
        subject="Order {{ order_no }}: {{ task|label }} is yours now",
        happened="{{ task|label }} was assigned to you"
        "{% if from_name %} in place of {{ from_name }}{% endif %}: {{ reason }}",
        then="Open the order to see when it is planned and what comes before it.",
    ),
    "task.reassigned:from": Text(
        subject="Order {{ order_no }}: {{ task|label }} is no longer yours",
        happened="{{ task|label }} was assigned to {{ to_name }} in your place: {{ reason }}",
        then="Hand over what you have of it to {{ to_name }}.",
    ),
    "task.overdue": Text(
        subject="Order {{ order_no }}: {{ task|label }} is overdue",
        happened="{{ task|label }} was planned to be finished by {{ planned_finish|day }}.",
        then="Finish it, or block it and say what is in the way.",
    ),
    "task.overdue:higher": Text(
        subject="Order {{ order_no }}: {{ task|label }} is overdue, level {{ level }}",
        happened="{{ task|label }}{% if assignee %} ({{ assignee }}){% endif %} was planned to be finished by "
        "{{ planned_finish|day }} and is not.",
        then="Ask what is in the way, or reassign the task.",
    ),
    "inspection.recorded": Text(
        subject="Order {{ order_no }}: inspection failed, {{ task|label }}",
        happened="{{ by }} recorded a failed inspection, {{ task|label }}"
        "{% if note %}: {{ note }}{% else %}.{% endif %}",
        then="Decide about the rework. The stage waits until the latest inspection passed.",
    ),
    "milestone.reached": Text(
        subject="Order {{ order_no }}: {{ milestone|label }}",
        happened="The milestone {{ milestone|label }} was reached on {{ reached_on|day }}.",
        then="Open the order to see what it makes due and what comes next.",
    ),
    "delivery.accepted": Text(
        subject="Order {{ order_no }}: the client signed off",
        happened="{{ client }} signed the delivery off on {{ accepted_on|day }}"
        "{% if note %}: {{ note }}{% else %}.{% endif %}",
        then="What is due on acceptance can be invoiced.",
    ),
    "project.cancelled": Text(
        subject="Order {{ order_no }} is cancelled: stop your tasks",
        happened="The project for {{ client }} was cancelled. These tasks of yours end here: "
        "{{ names|map('label')|listed }}.",
        then="Stop work on them.",
    ),
    "instalments.planned": Text(
        subject="Order {{ order_no }}: {{ codes|listed }} can be invoiced",
        happened="The order for {{ client }} was approved. Due now: {{ codes|listed }}, "
        "{{ amount|money(currency) }} of {{ total|money(currency) }}.",
        then="Open the order to issue the invoice.",
    ),
    "instalment.due": Text(
        subject="Order {{ order_no }}: {{ code }} can be invoiced",
        happened="Instalment {{ code }} of the order for {{ client }} is due since {{ due_date|day }}"
        "{% if amount %}: {{ amount|money(currency) }}{% endif %}.",
        then="Open the order to issue the invoice.",
    ),
    "receipt.recorded": Text(
        subject="Order {{ order_no }}: {{ amount|money(currency) }} received",
        happened="{{ amount|money(currency) }} came in from {{ client }} on {{ received_on|day }}."
        "{% if is_over %} {{ unallocated|money(currency) }} of it is open as a credit of the client.{% endif %}",
        then="Open the order to see what is paid and what is open.",
    ),
    "instalments.cancelled": Text(
        subject="Order {{ order_no }} is cancelled: {{ cancelled_count }} "
        "instalment{{ 's' if cancelled_count != 1 }} will not be invoiced",
        happened="The order for {{ client }} was cancelled, and with it {{ cancelled_count }} "
        "instalment{{ 's' if cancelled_count != 1 }} not invoiced."
        "{% if invoices %} Issued already: {{ invoices|listed }}.{% endif %}",
        then="{% if invoices %}Credit what was invoiced.{% else %}Nothing has to be credited.{% endif %}",
    ),
}

CLIENT: dict[str, Text] = {
    "order.approved": Text(
        subject="Your order {{ order_no }} is confirmed",
        happened="Your order was confirmed on {{ approved_on|day }}. Work on it begins.",
        then="Open the order to follow its progress.",
    ),
    "order.held": Text(
        subject="Your order {{ order_no }} is on hold",
        happened="Work on your order is paused.",
        then="Open the order to see where it stands. You are told when work goes on.",
    ),
    "order.resumed": Text(
        subject="Your order {{ order_no }} goes on",
        happened="Work on your order goes on.",
        then="Open the order to follow its progress.",
    ),
    "order.cancelled": Text(
        subject="Your order {{ order_no }} is cancelled",
        happened="Your order was cancelled. No further work is done on it.",
        then="Open the order to see what was done until now, and ask us about anything that is open.",
    ),
    "order.closed": Text(
        subject="Your order {{ order_no }} is closed",
        happened="Your order is accepted and paid in full; it was closed on {{ closed_on|day }}.",
        then="Nothing is left to do. Documents and history stay available in the portal.",
    ),
    "delivery.submitted": Text(
        subject="Waiting on you: sign off the delivery of order {{ order_no }}",
        happened="Everything you ordered was handed over on {{ submitted_on|day }}.",
        then="Check what you received, then open the order to sign it off.",
    ),
    "invoice.issued": Text(
        subject="Invoice {{ number }} for order {{ order_no }}: {{ total|money(currency) }}",
        happened="Invoice {{ number }} of {{ issued_on|day }} is over {{ total|money(currency) }}, "
        "of it {{ tax|money(currency) }} tax.",
        then="Pay it by {{ payable_by|day }}. The invoice is with your order.",
    ),
}


def together(count: int, first: str) -> str:
    return f"{count} notices. {first}"


ENGLISH = Language(
    locale="en",
    staff=STAFF,
    client=CLIENT,
    foot=FOOT,
    facts=FACTS,
    comma=", ",
    day=day,
    named=str,
    together=together,
)
