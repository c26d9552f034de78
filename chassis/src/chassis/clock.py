"""Instants are UTC; business dates are dates in the company's zone."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """Read at the edge only: everything below takes the time as an argument."""
    return datetime.now(UTC)


def business_date(instant: datetime, zone: ZoneInfo) -> date:
    """The date that a calendar on the company's wall shows at `instant`."""
    return instant.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which `day` begins in the company's zone, in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
