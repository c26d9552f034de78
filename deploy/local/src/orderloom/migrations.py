"""Migrates the databases of several services one after another: one process pays once for what five would import.

Told by `{"order": "postgresql+asyncpg://…", …}` in its environment: arguments are shown to everyone on the machine.
Elsewhere each service migrates its own with `python -m order.app migrate`; both run the same revisions, and wait for
each other.
"""

import importlib.util
import json
import os
from pathlib import Path

from chassis.migrations import migrate

PACKAGES = {"order": "order", "project": "project", "finance": "finance", "notify": "notify", "gateway": "portal"}


def main() -> None:
    for service, database_url in json.loads(os.environ["ORDERLOOM_DATABASE_URLS"]).items():
        print(f"migrating {service}", flush=True)
        migrate(database_url, _folder(PACKAGES[service]))


def _folder(package: str) -> Path:
    """Beside the sources of the service, as each service's own assembly says."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parents[2] / "migrations"


if __name__ == "__main__":
    main()
