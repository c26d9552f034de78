"""A service, assembled: its HTTP side and its bus side, in one process or in two."""

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from sqlalchemy import MetaData

from chassis import admin, telemetry, watching
from chassis.applying import Applying
from chassis.consumers import Consumers
from chassis.database import Database
from chassis.diagnosis import Look, diagnose, looks_of
from chassis.environment import WrongSettings, told
from chassis.failpoints import Failpoints
from chassis.forgotten import forgotten, line
from chassis.health import Health, health_router
from chassis.housekeeping import Watch
from chassis.limits import LimitBody, LimitHead, LimitRequests
from chassis.openapi import document_problems
from chassis.problems import answer_with_problems
from chassis.read_model import ReadModel
from chassis.rebuilding import Rebuilder, staging
from chassis.release import Release
from chassis.roots import Root
from chassis.settings import ServiceSettings
from chassis.tokens import Verifier
from chassis.worker import Duty, Worker

RELEASE = "0.1.0"
"""Of this code: all five services are released together."""
GRACE_SECONDS = 15
PARTS = ("all", "api", "worker", "migrate", "doctor", "forgotten")
OURS_ALONE: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
"""One span and one metric a request are made by the chassis; those of FastAPI would double the cost of a request."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """Everything that makes a service this one and not another."""

    name: str
    """On the bus, in addresses and in groups."""
    settings: type[ServiceSettings]
    routers: Sequence[APIRouter]
    admin: Sequence[APIRouter] = admin.routers
    """What operators ask of it."""
    consumers: Sequence[Consumers]
    root: type[Root] | None
    metadata: MetaData
    migrations: Path
    read_model: ReadModel | None = None
    """What can be made again from the archive, if anything can."""
    duties: Sequence[Duty] = ()
    watched: Sequence[Watch] = ()
    """What operators watch of it alone, taken from its database once a minute."""
    prepare: Callable[[FastAPI, Any], None] = field(default=lambda api, settings: None)
    """Puts what only this service's endpoints need on `api.state`."""
    looks: Callable[[Any], Mapping[str, Look]] = field(default=lambda settings: {})
    """What only this service stands on, to be looked at: see `chassis.diagnosis`."""
    streams: Sequence[str] = ()
    """Paths whose answers last as long as a page is open: they count as no request in hand, and have a limit of their
    own. They end when `api.state.is_stopping`."""

    def database(self, settings: ServiceSettings) -> Database:
        return Database(
            settings.database_url.get_secret_value(),
            connections_max=settings.connections_max,
            one_statement_flush=settings.one_statement_flush,
            shared={"settings": settings},
        )

    def worker(self, settings: ServiceSettings, database: Database) -> Worker:
        """The bus side, to be entered with `running()`."""
        return Worker(
            settings,
            database,
            service=self.name,
            consumers=self.heard,
            root=self.root,
            duties=(*self.duties, self._rebuild) if self.read_model else self.duties,
            watched=self.watched,
        )

    @property
    def heard(self) -> Sequence[Consumers]:
        """All consumers, that of the archive too."""
        return (*self.consumers, staging(self.name)) if self.read_model else self.consumers

    def rebuilder(self, database: Database) -> Rebuilder:
        """Of the read model, which the service must have."""
        assert self.read_model is not None
        return Rebuilder(database, self.read_model, self._applying)

    @property
    def _applying(self) -> Applying:
        return Applying(service=self.name, root=self.root)

    async def _rebuild(self, worker: Worker) -> None:
        await self.rebuilder(worker.database).run()

    def api(self, settings: ServiceSettings, database: Database, worker: Worker | None = None) -> FastAPI:
        """The HTTP side on `database`, which its caller closes; with `worker` running beside it, if there is one."""

        @asynccontextmanager
        async def lifespan(api: FastAPI) -> AsyncIterator[None]:
            beside: AbstractAsyncContextManager[object] = worker.running() if worker else nullcontext()
            async with beside:
                if worker:
                    _obey_signals(worker)
                timing = asyncio.create_task(watching.time_loop(self.name))
                yield
                timing.cancel()

        api = FastAPI(
            title=f"Orderloom {self.name}",
            version=RELEASE,
            lifespan=lifespan,
            telemetry=OURS_ALONE,
            docs_url=None,  # they load scripts from elsewhere; the gateway has a page of all endpoints
            redoc_url=None,
        )
        api.state.service = self.name
        api.state.is_stopping = False
        api.state.settings = settings
        api.state.database = database
        api.state.failpoints = Failpoints(settings.failpoints, service=self.name)
        api.state.worker = worker
        api.state.release = Release(self.heard, self._applying)
        api.state.read_model = self.read_model
        api.state.verifier = Verifier(settings.jwks, issuer=settings.token_issuer, audience=settings.token_audience)
        api.state.looks = self._looks(settings, database, api.state.verifier, sees_bus=worker is not None)
        api.state.health = Health(self.name, settings, database, worker, self.migrations_folder(settings))
        api.add_middleware(LimitBody, bytes_max=settings.body_bytes_max)
        api.add_middleware(LimitRequests, service=self.name, requests_max=settings.requests_max, besides=self.streams)
        answer_with_problems(api)
        document_problems(api)
        api.include_router(health_router)
        self.prepare(api, settings)
        for router in (*self.admin, *self.routers):
            api.include_router(router)
        return api

    def _looks(
        self, settings: ServiceSettings, database: Database, verifier: Verifier, *, sees_bus: bool
    ) -> Mapping[str, Look]:
        of_all = looks_of(self.name, settings, database, verifier, sees_bus=sees_bus)
        return {**of_all, **self.looks(settings)}

    def migrations_folder(self, settings: ServiceSettings) -> Path:
        return settings.migrations or self.migrations

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """The command of the service's process."""
        parser = argparse.ArgumentParser(description=f"The {self.name} service of Orderloom.")
        parser.add_argument("part", choices=PARTS, help="what this process runs")
        part = parser.parse_args(arguments).part
        try:
            settings = told(self.settings)
        except WrongSettings as reason:
            sys.exit(f"The {self.name} service cannot start with what it is told.\n{reason}")
        if part == "migrate":
            from chassis import migrations  # Alembic: only this part needs it, and it takes its time to load

            return migrations.migrate(settings.database_url.get_secret_value(), self.migrations_folder(settings))
        if part == "doctor":
            sys.exit(asyncio.run(self._say_how_it_is(settings)))
        if part == "forgotten":
            sys.exit(asyncio.run(self._say_what_is_forgotten(settings)))
        telemetry.start(
            service=self.name,
            trace_ratio=settings.trace_ratio,
            otlp_endpoint=settings.otlp_endpoint,
            log_level=settings.log_level,
        )
        asyncio.run(self._serve(settings, part))

    async def _say_how_it_is(self, settings: ServiceSettings) -> int:
        """1 when something is not well. With the environment of the service, on its network."""
        database = self.database(settings)
        verifier = Verifier(settings.jwks, issuer=settings.token_issuer, audience=settings.token_audience)
        findings = await diagnose(self._looks(settings, database, verifier, sees_bus=True))
        await database.close()
        for finding in findings:
            print(f"{'ok  ' if finding.is_well else 'BAD '} {finding.about}: {finding.says}")
        return 0 if all(finding.is_well for finding in findings) else 1

    async def _say_what_is_forgotten(self, settings: ServiceSettings) -> int:
        """1 when the bus has facts of this service that its database does not know."""
        database, count = self.database(settings), 0
        async for fact in forgotten(database, settings, service=self.name):
            print(line(fact))
            count += 1
        await database.close()
        return 1 if count else 0

    async def _serve(self, settings: ServiceSettings, part: str) -> None:
        telemetry.BUILD.labels(self.name, part, RELEASE).set(1)
        database = self.database(settings)
        worker = None if part == "api" else self.worker(settings, database)
        shown = self if part != "worker" else _without_endpoints(self)
        api = shown.api(settings, database, worker)
        server = _Server(
            uvicorn.Config(
                api,
                http=LimitHead,
                host=settings.host,
                port=settings.port,
                access_log=False,
                log_config=None,  # its lines go where all go, each as one line of JSON
                proxy_headers=False,  # nothing here depends on the address that a proxy names
                log_level="warning",
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        await server.serve()
        await database.close()
        if not server.started:
            sys.exit(1)


class _Server(uvicorn.Server):
    """Says that it is about to stop before it waits for what it answers."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        app: Any = self.config.app
        app.state.is_stopping = True
        super().handle_exit(sig, frame)


def _without_endpoints(service: Service) -> Service:
    """A worker's process answers for its health and its metrics alone."""
    return replace(service, routers=(), admin=())


def _obey_signals(worker: Worker) -> None:
    """SIGUSR1 pauses the bus side, SIGUSR2 lets it go on: for when the broker itself is being replaced."""
    loop = asyncio.get_running_loop()
    pausing: set[asyncio.Task[None]] = set()

    def pause() -> None:
        task = loop.create_task(worker.pause())
        pausing.add(task)
        task.add_done_callback(pausing.discard)

    try:
        loop.add_signal_handler(signal.SIGUSR1, pause)
        loop.add_signal_handler(signal.SIGUSR2, worker.resume)
    except (RuntimeError, ValueError):
        return  # not in the main thread: a test
