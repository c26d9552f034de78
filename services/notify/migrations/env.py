from chassis.migrations import run_in_environment
from notify.models import Model

run_in_environment(Model.metadata)
