"""The company's working days: weekends and China's public holidays are off, unless the calendar says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays

from chassis.errors import Conflict

PUBLIC_HOLIDAYS = holidays.country_holidays("CN")
"""As the package knows them. Make-up days (调休) it knows for no coming year: those are the calendar's own."""
SATURDAY = 5
ONE_DAY = timedelta(days=1)
DAYS_OFF_MAX = 366
"""In a row: with more, the calendar itself is wrong."""


class NoWorkingDay(Conflict):
    """The calendar has no working day within a year."""


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days are worked on. `exceptions` are the days of which someone said so, and they always count."""

    exceptions: Mapping[date, bool]
    """True for a make-up day, False for a day off."""

    def is_working(self, day: date) -> bool:
        said = self.exceptions.get(day)
        return _is_usually_working(day) if said is None else said

    def first_from(self, day: date) -> date:
        """The first working day that is not before `day`. Raises `NoWorkingDay`."""
        for _ in range(DAYS_OFF_MAX):
            if self.is_working(day):
                return day
            day += ONE_DAY
        raise NoWorkingDay(f"There is no working day in the year before {day}: correct the calendar.")

    def last_of(self, first: date, days: int) -> date:
        """The last of `days` working days, of which `first` is the first one. Raises `NoWorkingDay`."""
        last = self.first_from(first)
        for _ in range(days - 1):
            last = self.first_from(last + ONE_DAY)
        return last


@lru_cache(maxsize=4096)
def _is_usually_working(day: date) -> bool:
    return day.weekday() < SATURDAY and day not in PUBLIC_HOLIDAYS
