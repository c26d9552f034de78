from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the order service is told by its environment."""

    company_currency: str = "CNY"
    """In which the thresholds of the approval ladder are written."""
