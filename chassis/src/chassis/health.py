"""`/healthz`: the process lives. `/readyz`: it can do its work, or says why not. `/metrics`: what it did."""

from pathlib import Path

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from chassis import telemetry
from chassis.database import Database
from chassis.settings import ServiceSettings
from chassis.worker import Worker

log = structlog.get_logger(__name__)

OK = "ok"


class Health:
    """Asks every part that the service stands on."""

    def __init__(
        self, service: str, settings: ServiceSettings, database: Database, worker: Worker | None, folder: Path
    ) -> None:
        self._service = service
        self._settings = settings
        self._database = database
        self._worker = worker
        self._folder = folder
        self._is_migrated = False

    async def checks(self) -> dict[str, str]:
        """By part, `ok` or a sentence that says what is wrong."""
        checks = {"database": await self._check_database(), "migrations": await self._check_migrations()}
        if self._worker is not None:
            checks["bus"] = self._worker.trouble or OK
        for part, check in checks.items():
            telemetry.READY.labels(self._service, part).set(check == OK)
        return checks

    async def _check_database(self) -> str:
        try:
            async with self._database.transaction() as session:
                await session.execute(text("SELECT 1"))
        except Exception as reason:
            log.warning("database_away", reason=repr(reason))  # and not in the answer: anyone may ask
            return "The database does not answer."
        return OK

    async def _check_migrations(self) -> str:
        if not self._is_migrated:
            try:
                async with self._database.transaction() as session:
                    applied = await session.scalar(text("SELECT max(version_num) FROM alembic_version"))
            except Exception as reason:
                log.warning("revision_unreadable", reason=repr(reason))
                return "The revision cannot be read."
            self._is_migrated = applied is not None and applied >= _newest_revision(self._folder)
        return OK if self._is_migrated else "The newest migration is not applied: run `migrate`."


def _newest_revision(folder: Path) -> str:
    """Revisions are numbered: `0001_first_tables.py`. Not asked of Alembic, which takes its time to load.

    A database with a later one is the next release's, which only adds: this release goes on serving beside it.
    """
    return max(file.name.partition("_")[0] for file in (folder / "versions").glob("[0-9]*.py"))


health_router = APIRouter(include_in_schema=False)


@health_router.get("/healthz")
async def is_alive() -> dict[str, str]:
    return {"status": OK}


@health_router.get("/readyz")
async def is_ready(request: Request) -> JSONResponse:
    health: Health = request.app.state.health
    checks = await health.checks()
    ready = all(check == OK for check in checks.values())
    return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503)


@health_router.get("/metrics")
async def metrics(request: Request) -> Response:
    worker: Worker | None = request.app.state.worker
    if worker is not None:
        await _watch_partitions(worker)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _watch_partitions(worker: Worker) -> None:
    for topic, behind in (await worker.lag()).items():
        telemetry.CONSUMER_LAG.labels(worker.service, topic).set(behind)
    for (topic, state), count in worker.partitions().items():
        telemetry.PARTITIONS.labels(worker.service, topic, state).set(count)
