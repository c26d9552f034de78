"""What a migration may do while the release before it still serves: expand now, contract a release later.

Squawk knows which steps lock a table or break those who use it. A revision that takes something away names, in
`contract = "0.1.0"`, the release from which on nobody uses that any more; it must be a released one.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from alembic.script import Script

from chassis.migrations import statements

SQUAWK = Path(sys.executable).with_name("squawk")
NOT_OURS = (
    "prefer-bigint-over-int",  # a choice of types, not of steps
    "require-lock-timeout",  # `chassis.migrations` sets it for all
    "require-statement-timeout",  # a backfill may take its time
    "prefer-robust-stmts",  # `make_index` drops what is half made; everything else is one transaction
)
BREAKING = frozenset(
    ("ban-drop-column", "ban-drop-table", "ban-drop-not-null", "renaming-column", "renaming-table", "ban-drop-database")
)
"""What the release before still uses, or what takes something away: allowed once nobody does."""
RELEASED = Path(__file__).parents[1] / "contracts" / "released"


def problems(folder: Path, released: Path = RELEASED) -> Iterator[str]:
    """What is wrong with the migrations in `folder`, in words."""
    for script, sql in statements(folder):
        for rule, message in _found_by_squawk(sql):
            if rule in BREAKING and _is_contract(script, released):
                continue
            what_to_do = (
                'do it a release later, and write contract = "the release without it" in the revision'
                if rule in BREAKING
                else message
            )
            yield f"{folder.parent.name} {script.revision} {script.doc}: {rule}: {what_to_do}"


def _found_by_squawk(sql: str) -> list[tuple[str, str]]:
    excluded = [part for rule in NOT_OURS for part in ("--exclude", rule)]
    options = ["--reporter", "json", "--pg-version", "18.0", "--stdin-filepath", "m.sql"]
    sql = f"BEGIN;\n{sql}\nCOMMIT;\n"  # as it runs
    done = subprocess.run([SQUAWK, *options, *excluded], input=sql, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    return [(found["rule_name"], f"{found['message']} {found.get('help') or ''}") for found in json.loads(done.stdout)]


def _is_contract(script: Script, released: Path) -> bool:
    version = getattr(script.module, "contract", None)
    return version is not None and (released / str(version)).is_dir()
