"""The commands with which an operator looks into trouble and ends it: clients of the services' admin APIs.

A module has `add_arguments` for what the command takes and `run` for what it does; `run` returns the exit code.
"""
