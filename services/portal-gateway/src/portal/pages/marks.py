"""The thread of an order as it is drawn: a knot for every stage, one for the money, and how it all stands in words."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.pages import names
from portal.pages.language import N_, Formats

QUARTERS = 4


@dataclass(frozen=True)
class MoneyMark:
    """An instalment: what it is worth and how it stands."""

    state: str
    amount: str
    value: str
    words: str


@dataclass(frozen=True)
class Knot:
    """A stage; the last one is the money's."""

    name: str
    state: str
    is_current: bool = False
    spun: int = 0
    """Quarters of it that are done, 0 to 3."""
    lines: list[str] = field(default_factory=list)
    money: list[MoneyMark] = field(default_factory=list)


@dataclass(frozen=True)
class Thread:
    knots: Sequence[Knot]
    money: Sequence[MoneyMark]
    words: str
    """How far it is, for those who do not see it."""


def thread(
    order: Any, fmt: Formats, *, is_client: bool, tasks: Sequence[Any] = (), instalments: Sequence[Any] = ()
) -> Thread:
    """Of an order as the portal or the work list shows it; with how tasks and money stand, where that is known."""
    stages = list(order.stages)
    marks = [(_rule(each), _money_mark(each, order.currency, fmt)) for each in instalments]
    knots = [
        _knot(order, stage, tasks, fmt, money=_money_of(marks, index, len(stages)), is_client=is_client)
        for index, stage in enumerate(stages)
    ]
    if not _ended_early(order):
        knots.append(_paid_knot(order, fmt, [mark for rule, mark in marks if rule in ("after_acceptance", "on_date")]))
    return Thread(knots, [mark for _, mark in marks], in_words(order, knots, fmt, is_client=is_client))


def in_words(order: Any, knots: Sequence[Knot], fmt: Formats, *, is_client: bool) -> str:
    current = next((number for number, knot in enumerate(knots, start=1) if knot.is_current), len(knots))
    words = [fmt.text(N_("Stage %(number)s of %(count)s"), number=current, count=len(knots))]
    if _waits_for_client(order):
        words.append(fmt.text(N_("waiting on you") if is_client else N_("waiting on the client")))
    elif order.status in ("on_hold", "cancelled", "rejected", "closed"):
        words.append(fmt.text(names.ORDER_STATUS[order.status]))
    if late := late_days(order, fmt.today):
        words.append(fmt.plural("%(num)s day late", "%(num)s days late", late))
    return fmt.listed(words)


def late_days(order: Any, today: dt.date) -> int:
    """Calendar days that the order is, or is planned to be, behind the date asked for; behind its plan without one."""
    if order.accepted_on or order.status in ("submitted", "rejected", "cancelled", "closed", "delivered"):
        return 0
    planned, wanted = order.planned_finish, order.requested_date
    if planned is None:
        return 0
    expected = max(planned, today)
    return max(int((expected - (wanted or planned)).days), 0)


def sentence(order: Any, fmt: Formats, *, is_client: bool) -> str:
    """The one line that says how things stand."""
    stage = fmt.label(order.stage_name, order.stage)
    match order.status:
        case "submitted":
            return fmt.text(N_("Placed, and waiting for approval."))
        case "rejected":
            return fmt.text(N_("Not approved. It can be changed and placed again."))
        case "cancelled":
            return fmt.text(N_("Cancelled. Nobody works on it any more."))
        case "on_hold":
            return fmt.text(N_("On hold in %(stage)s."), stage=stage)
        case "closed":
            return fmt.text(N_("Delivered, accepted and paid in full."))
        case "delivered":
            return fmt.text(
                N_("Accepted on %(day)s. What is left is paid as agreed."), day=fmt.weekday(order.accepted_on)
            )
    if _waits_for_client(order):
        if is_client:
            return fmt.text(N_("Delivered, and waiting for you to accept it."))
        return fmt.text(N_("Delivered, and waiting for the client to accept it."))
    if order.planned_finish is None:
        return fmt.text(N_("Approved. The plan is being made."))
    planned = fmt.weekday(order.planned_finish)
    if late := late_days(order, fmt.today):
        behind = fmt.plural("%(num)s day late", "%(num)s days late", late)
        return fmt.text(N_("In %(stage)s. Planned for %(day)s, %(late)s."), stage=stage, day=planned, late=behind)
    return fmt.text(N_("In %(stage)s. Planned for %(day)s."), stage=stage, day=planned)


def money_state(instalment: Any, today: dt.date) -> str:
    status, due = _get(instalment, "status"), _get(instalment, "due_date")
    if isinstance(due, str):
        due = dt.date.fromisoformat(due)
    if status == "paid":
        return "paid"
    if status == "invoiced":
        return "overdue" if due and due < today else "invoiced"
    return "retained" if _rule(instalment) == "after_acceptance" and status != "due" else "ahead"


def order_state(order: Any, today: dt.date) -> str:
    """The mark of a whole order in a list."""
    if _waits_for_client(order):
        return "waiting"
    fixed = {"on_hold": "held", "cancelled": "skipped", "rejected": "skipped", "closed": "paid", "delivered": "done"}
    if order.status in fixed:
        return fixed[order.status]
    if order.status == "submitted":
        return "waiting"
    return "late" if late_days(order, today) else "now"


def _knot(
    order: Any, stage: Any, tasks: Sequence[Any], fmt: Formats, *, money: list[MoneyMark], is_client: bool
) -> Knot:
    code, state = _get(stage, "code"), _get(stage, "state")
    is_current = code == order.stage and state in ("now", "held", "skipped")
    mine = [task for task in tasks if task.stage == code and task.status != "cancelled"]
    finished = sum(task.status == "finished" for task in mine)
    lines = []
    if mine and state in ("now", "held"):
        lines.append(fmt.text(N_("%(done)s of %(all)s tasks finished"), done=finished, all=len(mine)))
    if state == "now" and _waits_for_client(order):
        state = "waiting"
        lines.insert(0, fmt.text(N_("Waiting on you") if is_client else N_("Waiting on the client")))
    elif state == "now" and order.status == "submitted":
        state = "waiting"
        lines.insert(0, fmt.text(N_("Waiting for approval")))
    elif state == "now" and late_days(order, fmt.today):
        state = "late"
    spun = min(QUARTERS * finished // len(mine), QUARTERS - 1) if mine and state not in ("done", "next") else 0
    return Knot(fmt.label(_get(stage, "name"), code), state, is_current, spun, lines, money)


def _paid_knot(order: Any, fmt: Formats, money: list[MoneyMark]) -> Knot:
    is_settled = order.closed_on is not None or order.status == "closed"
    if is_settled:
        return Knot(fmt.text(N_("Paid in full")), "paid", lines=[fmt.day(order.closed_on)], money=money)
    is_delivered = order.status == "delivered"
    return Knot(fmt.text(N_("Paid in full")), "now" if is_delivered else "next", is_delivered, money=money)


def _money_of(marks: list[tuple[str, MoneyMark]], index: int, count: int) -> list[MoneyMark]:
    """Where on the thread it falls due: the first stage, the last, or one between."""
    places = {"on_approval": 0, "on_milestone": count // 2, "on_acceptance": count - 1}
    return [mark for rule, mark in marks if places.get(rule) == index]


def _money_mark(instalment: Any, currency: str, fmt: Formats) -> MoneyMark:
    state = money_state(instalment, fmt.today)
    status = state if state in ("overdue", "retained") else _get(instalment, "status")
    amount = _get(instalment, "amount")
    return MoneyMark(state, fmt.money(amount, currency), f"{amount}", fmt.text(names.MONEY_STATUS.get(status, status)))


def _waits_for_client(order: Any) -> bool:
    return bool(order.sign_off_possible)


def _ended_early(order: Any) -> bool:
    return order.status in ("cancelled", "rejected")


def _rule(instalment: Any) -> str:
    return str(_get(instalment, "rule"))


def _get(row: Any, name: str) -> Any:
    """Of what came as JSON, or of an object."""
    return row[name] if isinstance(row, dict) else getattr(row, name)
