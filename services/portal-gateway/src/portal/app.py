"""The gateway, assembled."""

import asyncio
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from chassis import outbox
from chassis.application import Service
from chassis.clock import utc_now
from chassis.ids import new_id
from chassis.read_model import ReadModel
from chassis.worker import Worker
from portal import operations, queries
from portal.api import routers
from portal.api.rooms.open import answer_reader
from portal.api_document import KeptDocument
from portal.consumers import view
from portal.credentials import Credentials
from portal.figures import watch_orders
from portal.forwarding import Services
from portal.looks import looks
from portal.models import Model, OrderView, TaskView, TimelineEntry
from portal.security_headers import SecurityHeaders, answer_failure_safely
from portal.settings import Settings
from portal.signing import signer_of
from portal.streams import Streams

ATTEMPTS_FORGOTTEN_EVERY_SECONDS = 300


def prepare(api: FastAPI, settings: Settings) -> None:
    """What only the gateway has around its endpoints."""
    api.state.signer = signer_of(settings)
    api.state.services = Services(settings.services)
    api.state.document = KeptDocument()
    api.state.streams = Streams(api.state.database, consumer=view.name, streams_max=settings.streams_max)
    api.add_middleware(Credentials, api=api)
    api.add_middleware(SecurityHeaders, only_https=settings.cookies_need_https)
    api.add_exception_handler(Exception, answer_failure_safely)
    files = StaticFiles(directory=Path(__file__).parent / "static")
    api.add_exception_handler(HTTPException, answer_reader)
    api.mount("/static", GZipMiddleware(files, minimum_size=1000), name="static")
    # FastAPI's own document knows the gateway alone.
    api.router.routes[:] = [route for route in api.router.routes if getattr(route, "path", None) != api.openapi_url]


async def keep_people_able_to_sign_in(worker: Worker) -> None:
    """Makes the first administrator, and lets failed attempts and old sign-outs be forgotten."""
    settings = worker.settings
    assert isinstance(settings, Settings)
    cause = outbox.Cause(id=str(new_id()), actor="system:gateway")
    async with worker.database.transaction(cause) as session:
        password = settings.admin_password.get_secret_value()
        await operations.register_first_administrator(session, password=password, now=utc_now())
    while True:
        async with worker.database.transaction() as session:
            await operations.forget_old_attempts(session, now=utc_now())
            await operations.forget_old_sign_outs(session, now=utc_now())
        await asyncio.sleep(ATTEMPTS_FORGOTTEN_EVERY_SECONDS)


service = Service(
    name="gateway",
    settings=Settings,
    routers=routers,
    consumers=(view,),
    root=OrderView,
    metadata=Model.metadata,
    migrations=Path(__file__).parents[2] / "migrations",
    read_model=ReadModel(consumer=view, root=OrderView, parts=(TimelineEntry, TaskView), known=queries.known_facts),
    watched=(watch_orders,),
    duties=(keep_people_able_to_sign_in,),
    prepare=prepare,
    looks=looks,
    streams=("/events",),
)

if __name__ == "__main__":
    service.run()
