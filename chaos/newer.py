"""The next release, for a while beside this one: it migrates, its facts have more in them, and it goes again.

It is this checkout with one field more in facts that everybody reads, and one nullable column more in every database.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from chaos import clock
from chaos.trial import Trial
from contracts.topics import SERVICES
from orderloom import ports
from orderloom.part import STOP_SECONDS

ROOT = Path(__file__).parents[1]
FOLDERS = {service: "portal-gateway" if service == "gateway" else service for service in SERVICES}
BESIDE_SECONDS = 12.0
MIGRATE_SECONDS = 120.0
GAINED = ("OrderPlaced", "OrderApproved", "ProjectCreated", "TaskFinished", "InstalmentsPlanned", "InvoiceIssued")
MIGRATION = """
revision = "9001"
down_revision = "{newest}"
import sqlalchemy as sa
from alembic import op

def upgrade():
    op.add_column("outbox", sa.Column("of_the_next_release", sa.Text()))
"""


async def beside(trial: Trial, service: str) -> str:
    """Migrate the database of `service`, let a newer worker share its work for a while, and end it in good order."""
    tree = await asyncio.to_thread(made_once, trial.folder.path / "next")
    worker = trial.stack.command(f"{service}-worker")
    environment = os.environ | clock.environment(trial.folder) | dict(worker.environment)
    environment["PYTHONPATH"] = os.pathsep.join([_path(tree), environment["PYTHONPATH"]])
    environment["ORDERLOOM_PORT"] = str(ports.choose(set(trial.stack.ports.values())))
    migrate = [*worker.arguments[:-1], "migrate"]
    output = trial.folder.log(f"{service}-newer").open("ab")
    with output:
        migrating = await asyncio.create_subprocess_exec(*migrate, env=environment, stdout=output, stderr=output)
        if code := await asyncio.wait_for(migrating.wait(), MIGRATE_SECONDS):
            return f"the migration failed with code {code}"
        running = await asyncio.create_subprocess_exec(
            *worker.arguments, env=environment, stdout=output, stderr=output, process_group=0
        )
    try:
        await asyncio.sleep(BESIDE_SECONDS)
    finally:
        if running.returncode is None:
            running.terminate()
        try:
            await asyncio.wait_for(running.wait(), STOP_SECONDS)
        except TimeoutError:
            running.kill()
    return "" if running.returncode in (0, -15) else f"it ended with code {running.returncode}"


def made_once(tree: Path) -> Path:
    """The sources of the next release in `tree`, compiled."""
    if not tree.exists():
        fresh = tree.with_suffix(".new")
        for folder in ("contracts/src", "chassis/src", *(f"services/{name}" for name in FOLDERS.values())):
            shutil.copytree(ROOT / folder, fresh / folder, ignore=shutil.ignore_patterns("__pycache__", "tests"))
        for file in (fresh / "contracts" / "src" / "contracts").glob("*.py"):
            file.write_text(_with_more_fields(file.read_text()))
        for name in FOLDERS.values():
            versions = fresh / "services" / name / "migrations" / "versions"
            newest = max(file.name.partition("_")[0] for file in versions.glob("[0-9]*.py"))
            (versions / "9001_next.py").write_text(MIGRATION.format(newest=newest))
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(fresh)], check=True)
        fresh.rename(tree)
    return tree


def _with_more_fields(source: str) -> str:
    for name in GAINED:
        named = rf"(class {name}\(.*\):\n(?:.*\n)*?    type: ClassVar\[str\] = .*\n)"
        source = re.sub(named, r'\1    of_the_next_release: str | None = "more"\n', source, count=1)
    return source


def _path(tree: Path) -> str:
    parts = ["contracts/src", "chassis/src", *(f"services/{name}/src" for name in FOLDERS.values())]
    return os.pathsep.join(str(tree / part) for part in parts)
