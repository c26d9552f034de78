"""Days that are other than the week and the public holidays would make them."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Mapped, mapped_column

from chassis.errors import FieldError, Invalid
from project.models.model import Model


class CalendarWrong(Invalid): ...


class CalendarDay(Model):
    """A day off, or a make-up day (调休), as an administrator wrote it down."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    is_working: Mapped[bool]
    name: Mapped[str]

    @classmethod
    def all_of(cls, days: Sequence[tuple[date, bool, str]]) -> "list[CalendarDay]":
        """Raises `CalendarWrong` when a day is named twice."""
        named: dict[date, CalendarDay] = {}
        errors = []
        for number, (day, is_working, name) in enumerate(days):
            if day in named:
                errors.append(FieldError(f"/{number}/date", "this day is named already"))
            named[day] = cls(day=day, is_working=is_working, name=name)
        if errors:
            raise CalendarWrong("The calendar contradicts itself: see the errors.", errors=errors)
        return list(named.values())
