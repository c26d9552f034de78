"""The thread of an order as it is drawn: a knot for every stage, one for the money, and how it all stands in words."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.pages import names
from portal.pages.language import N_, Formats

QUARTERS = 4
BOTH = N_("%(first)s, %(then)s")
AT_REST = {
    "submitted": N_("Placed, and waiting for approval."),
    "rejected": N_("Not approved. It can be changed and placed again."),
    "cancelled": N_("Cancelled. Nobody works on it any more."),
    "closed": N_("Delivered, accepted and paid in full."),
}
"""What there is to say where nobody works: before the approval, and at the end."""


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
    pin: str = ""
    """What was asked for and falls on the line behind this knot, if the plan is later."""


@dataclass(frozen=True)
class Span:
    """From when to when a stage is planned, and when the last of its tasks was finished, if all are."""

    start: dt.date
    finish: dt.date
    done_on: dt.date | None


Spans = Mapping[str, Span]
"""By the code of a stage, in the order of the stages."""
NO_SPANS: Spans = {}


@dataclass(frozen=True)
class Thread:
    knots: Sequence[Knot]
    money: Sequence[MoneyMark]
    words: str
    """How far it is, for those who do not see it."""


def thread(
    order: Any,
    fmt: Formats,
    *,
    is_client: bool,
    tasks: Sequence[Any] = (),
    instalments: Sequence[Any] = (),
    spans: Spans = NO_SPANS,
) -> Thread:
    """Of an order as the portal or the work list shows it; with its tasks, money and dates, where they are known."""
    stages = list(order.stages)
    marks = [(_rule(each), _money_mark(each, order.currency, fmt)) for each in instalments]
    pinned = _pinned_stage(order, spans, fmt.today)
    knots = [
        _knot(
            order,
            stage,
            tasks,
            fmt,
            money=_money_of(marks, index, len(stages)),
            is_client=is_client,
            span=spans.get(_get(stage, "code")),
            is_first=index == 0,
            is_pinned=_get(stage, "code") == pinned,
        )
        for index, stage in enumerate(stages)
    ]
    if not _ended_early(order):
        knots.append(_paid_knot(order, fmt, [mark for rule, mark in marks if rule in ("after_acceptance", "on_date")]))
    return Thread(knots, [mark for _, mark in marks], in_words(order, knots, fmt, is_client=is_client))


def spans_of(stages: Sequence[Any], tasks: Sequence[Any], fmt: Formats) -> Spans:
    """Of every stage that has tasks; those that are cancelled do not count."""
    spans = {}
    for stage in stages:
        code = _get(stage, "code")
        mine = [task for task in tasks if task.stage == code and task.status != "cancelled"]
        if mine:
            ends = [task.finished_at for task in mine]
            done_on = max(fmt.date(end) for end in ends) if all(ends) else None
            start, finish = min(task.planned_start for task in mine), max(task.planned_finish for task in mine)
            spans[code] = Span(start, finish, done_on)
    return spans


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
    lead, rest = said(order, fmt, is_client=is_client)
    return fmt.joined([lead, rest])


def said(order: Any, fmt: Formats, *, is_client: bool) -> tuple[str, str]:
    """The same in two: what matters most, and the rest, which may be nothing."""
    stage = fmt.label(order.stage_name, order.stage)
    if order.status in AT_REST:
        return fmt.text(AT_REST[order.status]), ""
    if order.status == "on_hold":
        return fmt.text(N_("On hold in %(stage)s."), stage=stage), ""
    if order.status == "delivered":
        accepted = fmt.text(N_("Accepted on %(day)s."), day=fmt.weekday(order.accepted_on))
        return accepted, fmt.text(N_("What is left is paid as agreed."))
    if _waits_for_client(order):
        if is_client:
            return fmt.text(N_("Delivered, and waiting for you to accept it.")), ""
        return fmt.text(N_("Delivered, and waiting for the client to accept it.")), ""
    if order.planned_finish is None:
        return fmt.text(N_("Approved. The plan is being made.")), ""
    planned, where = fmt.weekday(order.planned_finish), fmt.text(N_("In %(stage)s."), stage=stage)
    if late := late_days(order, fmt.today):
        behind = fmt.plural("%(num)s day late", "%(num)s days late", late)
        return fmt.text(N_("Planned for %(day)s, %(late)s."), day=planned, late=behind), where
    return fmt.text(N_("Planned for %(day)s."), day=planned), where


def standing(order: Any, fmt: Formats, *, is_client: bool) -> tuple[str, str]:
    """For a row: where the order is, and its date with how far it is off, which may be nothing."""
    stage = fmt.label(order.stage_name, order.stage)
    if order.status != "approved" or _waits_for_client(order) or order.planned_finish is None:
        return sentence(order, fmt, is_client=is_client), ""
    planned = fmt.text(N_("Planned %(day)s"), day=fmt.day(order.planned_finish))
    wanted = order.requested_date
    if late := late_days(order, fmt.today):
        return stage, fmt.text(BOTH, first=planned, then=fmt.plural("%(num)s day late", "%(num)s days late", late))
    if wanted and wanted > order.planned_finish:
        early = (wanted - order.planned_finish).days
        return stage, fmt.text(BOTH, first=planned, then=fmt.plural("%(num)s day early", "%(num)s days early", early))
    return stage, fmt.text(BOTH, first=planned, then=fmt.text(N_("as asked for"))) if wanted else planned


def next_stage(order: Any, fmt: Formats) -> str:
    """What the stage after the present one is called; nothing behind the last."""
    stages = list(order.stages)
    codes = [_get(stage, "code") for stage in stages]
    place = codes.index(order.stage) + 1 if order.stage in codes else len(codes)
    return fmt.label(_get(stages[place], "name"), codes[place]) if place < len(codes) else ""


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


def _pinned_stage(order: Any, spans: Spans, today: dt.date) -> str | None:
    """On whose line the date falls that the client asked for; None while that date is kept."""
    wanted = order.requested_date
    if wanted is None or not late_days(order, today):
        return None
    begun = [code for code, span in spans.items() if span.start <= wanted]
    return begun[-1] if begun else next(iter(spans), None)


def _knot(
    order: Any,
    stage: Any,
    tasks: Sequence[Any],
    fmt: Formats,
    *,
    money: list[MoneyMark],
    is_client: bool,
    span: Span | None,
    is_first: bool,
    is_pinned: bool,
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
    if order.approved_on and is_first:
        lines.append(fmt.text(N_("Approved %(day)s"), day=fmt.day(order.approved_on)))
    if span:
        lines.append(fmt.text(N_("Done %(day)s"), day=fmt.day(span.done_on)) if span.done_on else _planned(span, fmt))
    spun = min(QUARTERS * finished // len(mine), QUARTERS - 1) if mine and state not in ("done", "next") else 0
    pin = fmt.text(N_("Asked for %(day)s"), day=fmt.day(order.requested_date)) if is_pinned else ""
    return Knot(fmt.label(_get(stage, "name"), code), state, is_current, spun, lines, money, pin)


def _planned(span: Span, fmt: Formats) -> str:
    return fmt.text(N_("Planned %(day)s"), day=fmt.span(span.start, span.finish))


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
    amount, paid_on = _get(instalment, "amount"), _get(instalment, "paid_on")
    words = fmt.text(names.MONEY_STATUS.get(status, status))
    if state == "paid" and paid_on:
        words = fmt.text(N_("Paid %(day)s"), day=fmt.day(paid_on))
    return MoneyMark(state, fmt.money(amount, currency), f"{amount}", words)


def _waits_for_client(order: Any) -> bool:
    return bool(order.sign_off_possible)


def _ended_early(order: Any) -> bool:
    return order.status in ("cancelled", "rejected")


def _rule(instalment: Any) -> str:
    return str(_get(instalment, "rule"))


def _get(row: Any, name: str) -> Any:
    """Of what came as JSON, or of an object."""
    return row[name] if isinstance(row, dict) else getattr(row, name)
