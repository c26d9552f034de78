from chassis.migrations import run_in_environment
from portal.models import Model

run_in_environment(Model.metadata)
