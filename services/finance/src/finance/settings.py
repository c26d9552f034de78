from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the finance service is told by its environment."""

    payment_days: int = Field(default=30, ge=0)
    """From the day on which an invoice is issued to the day by which it is to be paid."""
