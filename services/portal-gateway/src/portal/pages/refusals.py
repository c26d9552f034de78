"""What was refused, in the reader's words: first what happened and what to do, then what the service says of the case.

A service refuses by a name of its own (`order-not-held`), with an English sentence that names particulars. The name is
translated here; the sentence follows where its particulars matter.
"""

import re
from collections.abc import Mapping

from portal.pages.calls import CallRefused
from portal.pages.language import N_, Formats

REFUSED = {
    # of any service
    "not-allowed": N_("This is for someone with another role. Ask one of them."),
    "stale-version": N_("It changed after you opened it. See how it stands now, then decide again."),
    "precondition-failed": N_("It changed after you opened it. See how it stands now, then decide again."),
    "invalid-request": N_("Something in the form is missing or wrong. Correct it and send it again."),
    "unstorable": N_("A text holds a character that nothing can keep. Type it again instead of pasting it."),
    "body-too-large": N_("This is too much for one form. Send it in parts."),
    "too-much-at-once": N_("Too much is asked for at the moment. Wait a few seconds and try again."),
    "not-found": N_("There is nothing here. See the list for what there is."),
    "malformed-cursor": N_("This page of the list cannot be found again. Start from its beginning."),
    "malformed-header": N_("This form is not as the page had made it. Load the page again."),
    "key-used-for-another-request": N_("This form was sent before with something else in it. Load the page again."),
    "key-too-long": N_("This form is not as the page had made it. Load the page again."),
    "key-unreadable": N_("This form is not as the page had made it. Load the page again."),
    "form-forged": N_("This form is not as the page had made it. Load the page again."),
    # of orders
    "order-wrong": N_("The order is not complete yet. Correct what is named."),
    "order-too-large": N_("The order is too large. Place it as several orders."),
    "order-not-found": N_("There is no such order, or it is not yours to see."),
    "order-type-not-found": N_("There is no such order type. Choose one that is offered."),
    "external-id-used": N_("Another order has this number of the client already. Look whether it is the same one."),
    "order-not-submitted": N_("Nothing is to be decided about this order any more. See how it stands now."),
    "step-already-decided": N_("Someone else has taken this step. See how it stands now."),
    "requester-may-not-approve": N_("You placed this order yourself. Someone else has to decide about it."),
    "role-missing": N_("This step is for someone with another role. Ask one of them."),
    "order-not-approved": N_("The order is not under way. See how it stands now."),
    "order-not-held": N_("The order is not on hold. See how it stands now."),
    "order-not-cancellable": N_("The order cannot be cancelled any more. See how it stands now."),
    "delivery-not-submitted": N_("Nothing is delivered that could be accepted. Wait for the delivery."),
    "client-code-used": N_("Another client has this code already. Choose another code."),
    "client-not-found": N_("There is no such client. Register it first."),
    # of projects
    "project-not-found": N_("This order has no plan yet. It is made once the order is approved."),
    "project-is-held": N_("The order is on hold. What is not begun waits until it is resumed."),
    "project-is-cancelled": N_("The order is cancelled. Nothing is done about it any more."),
    "predecessors-not-finished": N_("Other tasks have to be finished first."),
    "task-not-found": N_("There is no such task. See the plan of the order."),
    "task-not-yours": N_("This is for the owner of the task. Ask them, or have it handed over to you."),
    "task-not-planned": N_("The task is begun already, or over. See how it stands now."),
    "task-not-started": N_("The task is not under way. See how it stands now."),
    "task-not-open": N_("The task is over. See how it stands now."),
    "task-not-blocked": N_("The task is not blocked. See how it stands now."),
    "task-not-inspected": N_("This task is not inspected. Record it on the one that is."),
    "work-date-in-future": N_("This day is still to come. Log the hours once they are worked."),
    "deliverable-not-found": N_("There is no such deliverable. See the documents of the order."),
    "not-of-the-project": N_("This is for those who work on the order. Ask one of them."),
    "delivery-not-ready": N_("The delivery is not complete yet. What is still missing is named."),
    "delivery-already-submitted": N_("The delivery is submitted already. The client is asked to accept it."),
    "person-not-found": N_("There is no such person. Name someone else."),
    "person-not-active": N_("This person cannot sign in any more. Name someone else."),
    "person-lacks-role": N_("This person does not hold the role that the task needs. Name someone who does."),
    # of money
    "account-not-found": N_("Finance does not know this order yet. Try again in a moment."),
    "account-on-hold": N_("The order is on hold. Nothing is invoiced until it is resumed."),
    "account-cancelled": N_("The order is cancelled. Nothing of it is invoiced any more."),
    "nothing-due": N_("Nothing of this order is due. See its instalments."),
    "instalment-not-found": N_("There is no such instalment. See those of the order."),
    "instalment-not-due": N_("The instalment is not due yet. It may be invoiced once what it waits for has happened."),
    "instalment-already-invoiced": N_("The instalment is invoiced already. See the invoices of the order."),
    "invoice-not-found": N_("There is no such invoice. See the open ones."),
    "amount-too-fine": N_("The amount has more digits than its currency. Round it."),
    "received-in-the-future": N_("This day is still to come. Write when the payment came in."),
    "receipt-of-nobody": N_("It is not known whose payment this is. Name the order or an invoice."),
    "receipt-in-another-currency": N_(
        "The payment is in another currency than the invoice. Record it for another one."
    ),
    "invoice-of-another-client": N_("The invoice is of another client. Record the payment for one of its own."),
    "more-than-open": N_("That is more than is still open. Someone may have recorded the payment already."),
    "more-than-received": N_("That is more than was received. Write a smaller amount."),
    # of people
    "user-not-found": N_("There is no such user. See the list of users."),
    "user-id-used": N_("Someone has this user name already. Choose another one."),
    "email-used": N_("Someone has this e-mail address already. Everyone needs their own."),
    "client-not-registered": N_("No client has this code. Register the client first."),
    "roles-of-a-client-person": N_("People of a client have the role client and no other, and name their client."),
    "unknown-language": N_("Pages do not speak this language. Choose one that is offered."),
    "own-administration-kept": N_("You cannot take your own access away. Let another administrator do it."),
    "not-the-present-password": N_("The present password is another one. Type it again."),
    "too-many-failures": N_("Too many failures. Wait a minute, then try again."),
    "nobody-yet": N_("Nobody can sign in yet. Whoever runs the platform makes the first user."),
    # of the bus
    "reason-missing": N_("Nothing is discarded without a reason. Write it in one line."),
    "no-such-consumer": N_("No part of the system has this name. Load the page again."),
    "key-not-parked": N_("Nothing is parked under this key any more. Somebody may have mended it."),
    "still-not-applicable": N_("It could not be applied this time either. The cause is not mended yet."),
    "nothing-to-discard": N_("There is nothing to discard. Somebody may have mended it."),
}
"""By the name that the service has for it. A test fails for one that a form can meet and that is not here."""
WITH_PARTICULARS = (
    "not-found",
    "predecessors-not-finished",
    "task-not-started",
    "delivery-not-ready",
    "external-id-used",
    "more-than-open",
    "more-than-received",
    "still-not-applicable",
    "too-many-failures",
)
"""Of these the service's own sentence names what the translated one cannot: how much, which, for how long."""
REASONS: tuple[tuple[str, str], ...] = (
    (r"Field required|the type requires it|String should have at least 1 character", N_("Fill this in")),
    (r"String should have at least (?P<count>\d+) characters", N_("Write at least %(count)s characters")),
    (r"String should have at most (?P<count>\d+) characters?", N_("Write at most %(count)s characters")),
    (r"Input should be greater than (?P<bound>[\d.]+)", N_("Write a number above %(bound)s")),
    (r"Input should be greater than or equal to (?P<bound>[\d.]+)", N_("Write a number of at least %(bound)s")),
    (r"Input should be less than (?P<bound>[\d.]+)", N_("Write a number below %(bound)s")),
    (r"Input should be less than or equal to (?P<bound>[\d.]+)", N_("Write a number of at most %(bound)s")),
    (r"write it as a string of digits.*", N_("Write a plain number with at most six decimals, like 12.50")),
    (r"write it as a string \"YYYY-MM-DD\"|write a date that exists.*", N_("Write a date that exists")),
    (r"write a currency code of ISO 4217.*", N_("Write a currency code of three letters, like CNY")),
    (r"leave out control characters.*", N_("Leave out what is no letter, digit or sign")),
    (r"Input should be '.*", N_("Choose one that is offered")),
    (r".* is not one of \[.*", N_("Choose one that is offered")),
    (r".* is not of type '(integer|number)'", N_("Write a number")),
    (r".* is not a '.*'|.* does not match '.*'|String should match pattern.*", N_("This is not written as it must be")),
    (r".* is (too short|too long)", N_("This is too short or too long")),
    (r".* is (less|greater) than .*", N_("This is too small or too large")),
    (r"Input should be a valid (UUID|integer|number).*", N_("This is not as the page had made it. Load it again")),
    (r"(?P<currency>[A-Z]{3}) has no such small part", N_("%(currency)s has fewer digits after the point")),
    (r"it is \S+ now: write that day or one before", N_("This day is still to come")),
    (r"it is used by order (?P<order>\S+), which has another body", N_("Order %(order)s has it already")),
    (r"there is no such type.*", N_("Choose one that is offered")),
    (r"submit it", N_("Hand in a version first")),
    (r"finish it, .*", N_("Finish it first")),
    (r"let its inspection pass, .*", N_("Its inspection has to be passed first")),
    (r"It names nothing that there could be.|It is none that a form of ours has.", N_("Load the page again")),
)
"""What services say of single fields, and how the pages say it. The first that matches the whole counts."""


def told(refused: CallRefused, fmt: Formats) -> str:
    """What happened, and what to do."""
    sentence = REFUSED.get(refused.type)
    if sentence is None:
        return fmt.text(N_("It was refused. Why, in the words of the service:"))
    return fmt.text(sentence)


def particulars(refused: CallRefused) -> str:
    """The service's own words, where they say more; they are English."""
    return refused.title if refused.type not in REFUSED or refused.type in WITH_PARTICULARS else ""


def told_of_fields(errors: Mapping[str, str], fmt: Formats) -> dict[str, str]:
    """By field what is wrong there. What is not known here is told in the service's words, and said to be."""
    return {name: _told_of_field(reason, fmt) for name, reason in errors.items()}


def _told_of_field(reason: str, fmt: Formats) -> str:
    for pattern, sentence in REASONS:
        if found := re.fullmatch(pattern, reason, re.DOTALL):
            return fmt.text(sentence, **found.groupdict())
    return fmt.text(N_("To be corrected: %(reason)s"), reason=reason) if fmt.is_chinese else reason
