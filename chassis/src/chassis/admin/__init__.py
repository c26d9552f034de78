"""What operators ask of every service over HTTP. One router by noun."""

from chassis.admin.parked import parked
from chassis.admin.read_model import read_model

routers = (parked, read_model)

__all__ = ["routers"]
