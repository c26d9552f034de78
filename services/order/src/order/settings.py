from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the order service is told by its environment."""

    company_currency: str = Field(default="CNY", pattern="^[A-Z]{3}$")
    """In which the thresholds of the approval ladder are written."""
