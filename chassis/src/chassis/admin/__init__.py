"""What operators ask of every service over HTTP. One router by noun."""

from chassis.admin.diagnosis import diagnosis
from chassis.admin.parked import parked
from chassis.admin.read_model import read_model
from chassis.admin.republish import republish

routers = (parked, republish, read_model, diagnosis)

__all__ = ["routers"]
