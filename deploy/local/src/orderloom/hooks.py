"""Modules of this package that a checkout may lack: `demo` and `defaults`."""

import importlib
from types import ModuleType


def find(name: str) -> ModuleType | None:
    """Import `orderloom.<name>`, or return None where there is no such module. One that fails to import raises."""
    try:
        module = importlib.import_module(f"orderloom.{name}")
    except ModuleNotFoundError as missing:
        if missing.name != f"orderloom.{name}":
            raise
        return None
    return module if module.__file__ else None  # a folder of that name with data alone is no module
