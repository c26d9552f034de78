from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the project service is told by its environment."""
