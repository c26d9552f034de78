"""The plan of an order as it is drawn: a bar a task on a scale of weeks, and what the end date depends on.

What has happened lies where it happened, what has not where it is planned.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.pages import names
from portal.pages.language import N_, Formats

WEEK = dt.timedelta(days=7)
LABELS_MAX = 10
"""On the scale: with more weeks, not each is named."""


@dataclass(frozen=True)
class Bar:
    """One task. Places and widths are percentages of the whole width."""

    task: Any
    name: str
    who: str
    mark: str
    """Class of the bar: done, now, waiting, left or next."""
    x: float
    width: float
    is_critical: bool
    from_above: int
    """How many rows above the task is that this one waits for on the critical path; 0 for none."""
    words: str


@dataclass(frozen=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True)
class Plan:
    bars: Sequence[Bar]
    weeks: Sequence[Tick]
    today_x: float | None
    wanted_x: float | None
    """Where the date is that the client asked for, if it is on the scale."""


def plan_of(order: Any, fmt: Formats) -> Plan | None:
    """None where nothing is planned yet."""
    tasks = [task for task in order.tasks if task.status != "cancelled"] or list(order.tasks)
    if not tasks:
        return None
    spans = {task.task_id: _span(task, fmt) for task in tasks}
    first = min(start for start, _ in spans.values())
    last = max([finish for _, finish in spans.values()] + [each for each in [order.requested_date] if each])
    begin = first - dt.timedelta(days=first.weekday())
    end = last + dt.timedelta(days=7 - last.weekday())
    days = (end - begin).days

    def at(day: dt.date) -> float:
        return float(round((day - begin).days * 100 / days, 2))

    critical = critical_tasks(tasks)
    rows = {task.task_id: row for row, task in enumerate(tasks)}
    bars = [_bar(task, fmt, at, spans[task.task_id], critical, rows) for task in tasks]
    every = -(-(days // 7) // LABELS_MAX)
    weeks = [begin + WEEK * number for number in range(days // 7)]
    ticks = [Tick(at(week), fmt.day(week) if number % every == 0 else "") for number, week in enumerate(weeks)]
    today = at(fmt.today) if begin <= fmt.today < end else None
    wanted = order.requested_date
    return Plan(bars, ticks, today, at(wanted) if wanted and begin <= wanted < end else None)


def critical_tasks(tasks: Sequence[Any]) -> dict[UUID, UUID | None]:
    """The tasks that the last finish depends on, each with the one that it waited for.

    From the task that finishes last, back along those dependencies that finish last themselves: were one of them later,
    so would be the end.
    """
    by_id = {task.task_id: task for task in tasks}
    found: dict[UUID, UUID | None] = {}
    task = max(tasks, key=lambda each: (each.planned_finish, each.planned_start))
    while True:
        before = [by_id[UUID(str(each))] for each in task.depends_on if UUID(str(each)) in by_id]
        driving = max(before, key=lambda each: (each.planned_finish, each.planned_start), default=None)
        found[task.task_id] = driving.task_id if driving else None
        if driving is None or driving.task_id in found:
            return found
        task = driving


def _span(task: Any, fmt: Formats) -> tuple[dt.date, dt.date]:
    """From its first day to its last."""
    start = fmt.date(task.started_at) if task.started_at else task.planned_start
    finish = fmt.date(task.finished_at) if task.finished_at else task.planned_finish
    return (min(start, finish), finish) if task.finished_at else (start, max(start, finish))


def _bar(
    task: Any,
    fmt: Formats,
    at: Callable[[dt.date], float],
    span: tuple[dt.date, dt.date],
    critical: dict[UUID, UUID | None],
    rows: dict[UUID, int],
) -> Bar:
    start, finish = span
    x = at(start)
    is_critical = task.task_id in critical and task.status != "finished"
    driving = critical.get(task.task_id)
    words = fmt.text(
        N_("%(start)s to %(finish)s, %(status)s"),
        start=fmt.day(start),
        finish=fmt.day(finish),
        status=fmt.text(names.TASK_STATUS[task.status]),
    )
    return Bar(
        task=task,
        name=fmt.label(task.name),
        who=task.assignee_name or (fmt.text(names.ROLE.get(task.queue, task.queue)) if task.queue else ""),
        mark={"finished": "done", "started": "now", "blocked": "waiting"}.get(
            task.status, "left" if is_critical else "next"
        ),
        x=x,
        width=round(at(finish + dt.timedelta(days=1)) - x, 2),
        is_critical=is_critical,
        from_above=rows[task.task_id] - rows[driving] if is_critical and driving else 0,
        words=fmt.listed([words, fmt.text(N_("the end date depends on it"))]) if is_critical else words,
    )
