"""The process that starts the parts of a stack, keeps them running, and stops them when it is told to end.

`python -m orderloom.supervisor --data DIR`, which `orderloom up` does.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from aiokafka.errors import KafkaError

from orderloom import broker, bus, hooks, keys, ports, postgres, readiness, state
from orderloom.broker import Broker
from orderloom.folder import DataFolder, FolderInUse, secret_once
from orderloom.part import Command, Part
from orderloom.processes import Identity, identify
from orderloom.republish import forget_progress, republish
from orderloom.stack import Stack
from orderloom.topics import create_topics

log = logging.getLogger("orderloom.supervisor")

POLL_SECONDS = 0.1
START_SECONDS = 60.0
"""The recovery of a database after a power cut takes its time."""
SUPERVISOR_LOCK_SECONDS = 1.0
BUS_LOCK_SECONDS = 60.0
DEFAULTS_RETRY_SECONDS = 5.0
BROKER_RETRY_SECONDS = 1.0


class BrokerAway(Exception):
    """The broker ended, or does not answer."""


class MigrationFailed(Exception):
    """The database of a service could not be brought up to date."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=ports.assignment, action="append", default=[])
    parser.add_argument("--broker", type=_broker, help="a JSON object: another broker than the one used so far")
    parser.add_argument("--apart", action=argparse.BooleanOptionalAction)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # many lines for one dead broker, which we notice anyway
    try:
        asyncio.run(supervise(DataFolder(arguments.data), dict(arguments.port), arguments.broker, arguments.apart))
    except (asyncio.CancelledError, FolderInUse):
        return 0
    except Exception:
        log.exception("the stack was stopped")
        return 1
    return 0


def _broker(text: str) -> Broker:
    return Broker(**json.loads(text))


async def supervise(
    folder: DataFolder,
    wanted_ports: Mapping[str, int],
    wanted_broker: Broker | None = None,
    is_apart: bool | None = None,
) -> None:
    """Run the stack in `folder` until cancelled, by SIGTERM or SIGINT too.

    Raise FolderInUse when another supervisor runs there, and whatever keeps the stack from starting.
    """
    _cancel_on_signal()
    folder.create()
    async with folder.locked("supervisor", patience_seconds=SUPERVISOR_LOCK_SECONDS):
        await asyncio.to_thread(state.stop_processes, state.load(folder.state))
        supervised = state.State("preparing", processes={state.SUPERVISOR: identify(os.getpid())})
        supervised.save(folder.state)
        try:
            settled = ports.settle(folder.ports, wanted_ports)
            if is_apart is not None:
                folder.apart.touch() if is_apart else folder.apart.unlink(missing_ok=True)
            stack = Stack(folder, settled, broker.settle(folder.broker, wanted_broker), folder.apart.exists())
            keys.ensure(folder.signing_key, folder.jwks)
            await asyncio.to_thread(stack.cluster.prepare)
            if stack.broker.kind == "apache":
                await asyncio.to_thread(stack.apache_kafka.prepare)
            await Supervisor(stack, supervised).run()
        except Exception as reason:
            supervised.failure = str(reason)
            raise
        finally:
            supervised.phase, supervised.processes = state.STOPPED, {}
            supervised.save(folder.state)


def _cancel_on_signal() -> None:
    task = asyncio.current_task()
    assert task is not None

    def cancel() -> None:
        if not task.cancelling():  # a second signal would interrupt the orderly end
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, cancel)


class Supervisor:
    """Runs `stack`, whose parts are down and whose cluster is prepared, and says in its state how far it is."""

    def __init__(self, stack: Stack, supervised: state.State) -> None:
        self._stack = stack
        self._state = supervised
        ours = [name for name in stack.parts if name != "kafka" or stack.broker.is_ours]
        self._parts = {name: Part(name, stack.command(name), stack.folder.log(name), self._remember) for name in ours}
        self._bus = asyncio.Lock()  # held while the broker is restored: no service may start meanwhile

    async def run(self) -> None:
        """Start all and keep them running until cancelled. Whatever ends this, the parts are stopped first."""
        try:
            async with asyncio.TaskGroup() as running:
                await self._start_all(running)
        except ExceptionGroup as several:
            raise several.exceptions[0] from several  # the others were cancelled by the first
        finally:
            await self._stop_all()

    async def _start_all(self, running: asyncio.TaskGroup) -> None:
        self._say("starting PostgreSQL", "postgres")
        running.create_task(self._parts["postgres"].keep_running(self._start_postgres))
        running.create_task(self._parts["mail"].keep_running())
        await _until(lambda: self._stack.cluster.is_ready(self._parts["postgres"].pid))
        await postgres.create_databases(self._stack.cluster.url())
        await self._migrate_all()

        self._say("starting the broker", "kafka" if self._stack.broker.is_ours else state.SUPERVISOR)
        running.create_task(self._keep_broker())
        for service in self._stack.services:
            running.create_task(self._parts[service].keep_running(partial(self._start_service, service)))
        await self._until_services_are_ready()

        self._say("installing the defaults", state.SUPERVISOR)
        await self._install_defaults()
        self._say(state.READY)

    async def _start_postgres(self) -> None:
        await asyncio.to_thread(self._stack.cluster.prepare)
        await self._parts["postgres"].start()

    async def _migrate_all(self) -> None:
        commands = self._stack.migrations()
        self._say("migrating the databases", *commands)
        codes = await asyncio.gather(*(self._migrate(name, command) for name, command in commands.items()))
        if failed := [name for name, code in zip(commands, codes, strict=True) if code]:
            self._say("migrating the databases", *failed)
            raise MigrationFailed(f"The migration of {', '.join(failed)} failed.")

    async def _migrate(self, name: str, command: Command) -> int:
        migration = Part(name, command, self._stack.folder.log(name), lambda *_: None)
        try:
            await migration.start()
            return await migration.ended()
        finally:
            await migration.stop()

    async def _keep_broker(self) -> None:
        if self._stack.broker.is_ours:
            await self._parts["kafka"].keep_running(self._start_broker)
        async with self._bus:
            while not await self._is_restored():
                await asyncio.sleep(BROKER_RETRY_SECONDS)

    async def _start_broker(self) -> None:
        """Start the broker with all it has to know, while the bus side of every service rests.

        A failure ends the broker, and so leads here again; the services go on resting until it has succeeded.
        """
        async with self._bus:
            if not await self._is_restored():
                await self._parts["kafka"].stop()

    async def _is_restored(self) -> bool:
        try:
            async with self._stack.folder.locked("bus", patience_seconds=BUS_LOCK_SECONDS):
                await self._restore_broker()
        except Exception:
            log.exception("the broker could not be restored")
            return False
        return True

    async def _restore_broker(self) -> None:
        for service in await bus.pause(self._running_services()):
            log.warning("%s did not pause and is started again later", service.name)
            await self._parts[service.name].stop()
        if self._stack.broker.is_ours:
            await self._parts["kafka"].start()
        made = await self._make_topics()
        if self._stack.broker.forgets or made or not self._stack.broker.knows_all:
            await self._tell_all_it_lacks(made)
        bus.resume(self._running_services())

    async def _make_topics(self) -> list[str]:
        """Return those that were not there, as soon as the broker answers. Raise BrokerAway."""
        stack, deadline = self._stack, time.monotonic() + START_SECONDS
        while True:
            try:
                return await create_topics(
                    stack.kafka, partitions=stack.broker.partitions, prefix=stack.broker.topic_prefix
                )
            except (KafkaError, OSError) as reason:
                if time.monotonic() > deadline or (stack.broker.is_ours and self._parts["kafka"].pid is None):
                    raise BrokerAway(f"No answer at {stack.bootstrap_servers}: {reason!r}") from reason
            await asyncio.sleep(POLL_SECONDS)

    async def _tell_all_it_lacks(self, made: Sequence[str]) -> None:
        """One that forgot: since its consumers' progress. One that was just chosen: all, since progress on another says
        nothing. One that keeps its log: the topics that were not there."""
        stack, prefix = self._stack, self._stack.broker.topic_prefix
        is_told_all = stack.broker.forgets or not stack.broker.knows_all
        if not stack.broker.knows_all:
            await forget_progress(stack.databases)
        only_topics = None if is_told_all else [name.removeprefix(prefix) for name in made]
        count = await republish(stack.databases, stack.kafka, only_topics=only_topics, topic_prefix=prefix)
        log.info("the broker was told %s facts again", count)
        replace(stack.broker, knows_all=True).save(stack.folder.broker)
        self._stack = replace(stack, broker=replace(stack.broker, knows_all=True))

    async def _start_service(self, service: str) -> None:
        async with self._bus:
            await self._parts[service].start()

    async def _until_services_are_ready(self) -> None:
        waiting = list(self._stack.services)
        async with readiness.client() as http:
            while waiting:
                answers = [await readiness.ask(http, self._stack.url(service)) for service in waiting]
                waiting = [service for service, answer in zip(waiting, answers, strict=True) if not answer.is_ready]
                if waiting and waiting != self._state.waiting_for:
                    self._say("waiting for the services", *waiting)
                await asyncio.sleep(POLL_SECONDS)

    async def _install_defaults(self) -> None:
        """Install the data files of the defaults once per data folder, however often that has to be tried."""
        defaults = hooks.find("defaults")
        marker = self._stack.folder.defaults_installed
        while defaults and not marker.exists():
            try:
                password = secret_once(self._stack.folder.admin_password)
                await asyncio.to_thread(defaults.install, self._stack.url("gateway"), password)
                marker.touch()
            except Exception:
                log.exception("the defaults could not be installed")
                await asyncio.sleep(DEFAULTS_RETRY_SECONDS)

    async def _stop_all(self) -> None:
        self._say("stopping", *self._state.waiting_for)  # `up` looks there for the part to blame
        for names in (self._stack.services, ("kafka", "mail"), ("postgres",)):
            await asyncio.gather(*(self._parts[name].stop() for name in names if name in self._parts))

    def _running_services(self) -> list[bus.Service]:
        pids = {service: self._parts[service].pid for service in self._stack.workers}
        return [bus.Service(name, pid, self._stack.url(name)) for name, pid in pids.items() if pid]

    def _remember(self, part: str, identity: Identity) -> None:
        self._state.processes[part] = identity
        self._state.save(self._stack.folder.state)

    def _say(self, phase: str, *waiting_for: str) -> None:
        self._state.phase, self._state.waiting_for = phase, list(waiting_for)
        self._state.save(self._stack.folder.state)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(START_SECONDS):
        while not condition():
            await asyncio.sleep(POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
