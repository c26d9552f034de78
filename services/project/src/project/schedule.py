"""When each task is planned: forward over the dependencies, in working days (critical path method, earliest dates)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import Protocol

from project.working_calendar import WorkingCalendar


class Work(Protocol):
    """What takes some working days, and comes after other work."""

    @property
    def code(self) -> str: ...
    @property
    def duration_days(self) -> int: ...
    @property
    def depends_on(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Span:
    """The first and the last working day, both inclusive."""

    start: date
    finish: date


def schedule(work: Iterable[Work], *, calendar: WorkingCalendar, not_before: date) -> dict[str, Span]:
    """By code, as early as it can be. A successor may start on its predecessor's last day.

    Raises `NoWorkingDay`, and `CycleError` for work that `cycle_in` would have found wrong.
    """
    by_code = {each.code: each for each in work}
    earliest = calendar.first_from(not_before)
    spans: dict[str, Span] = {}
    for code in TopologicalSorter({each.code: each.depends_on for each in by_code.values()}).static_order():
        start = max((spans[before].finish for before in by_code[code].depends_on), default=earliest)
        spans[code] = Span(start, calendar.last_of(start, by_code[code].duration_days))
    return spans


def cycle_in(depends_on: Mapping[str, Sequence[str]]) -> list[str]:
    """The path of a cycle, ending where it began and each a dependency of the one after it; empty if there is none."""
    try:
        TopologicalSorter(depends_on).prepare()
    except CycleError as cycle:
        path: list[str] = cycle.args[1]
        return path
    return []
