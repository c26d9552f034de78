"""A whole stack, as its users start it, with stand-ins for the five services."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import PARTITIONS_EMBEDDED, SERVICES
from orderloom import cli, status
from orderloom.folder import DataFolder
from orderloom.stack import Stack

TESTS = Path(__file__).parent
PARTS = ["postgres", "kafka", "mail", *SERVICES, "supervisor"]
PATIENCE_SECONDS = 20.0


@dataclass
class Running:
    """A stack under test, reached only by the command line."""

    folder: DataFolder
    said: str = ""

    def orderloom(self, name: str, *arguments: str, **modules: str) -> tuple[int, str]:
        """Run the command in this process, which saves its start, and return its exit code and what it printed."""
        with patch.dict(os.environ, environment(**modules)), redirect_stdout(StringIO()) as printed:
            code = cli.main([name, "--data", str(self.folder.path), *arguments])
        return code, printed.getvalue()

    def starting(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(self.command("up"), env=environment(), stdout=subprocess.PIPE, text=True)

    def command(self, name: str, *arguments: str) -> list[str]:
        return [sys.executable, "-c", CLI, name, "--data", str(self.folder.path), *arguments]

    def status(self) -> dict[str, Any]:
        return asyncio.run(status.read(Stack.of(self.folder))).as_json()  # as the command does, without its start

    def pid(self, part: str) -> int:
        return int(self.status()["parts"][part]["pids"][0])

    def kill(self, part: str) -> int:
        """Return the pid that was killed, once it is gone."""
        pid = self.pid(part)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not lives(pid))
        return pid

    def until_healthy_again(self, part: str, killed: int) -> dict[str, Any]:
        def is_back() -> bool:
            found = self.status()
            return bool(found["healthy"]) and found["parts"][part]["pids"] != [killed]

        until(is_back)
        return self.status()

    def log(self, part: str) -> str:
        return self.folder.log(part).read_text()


CLI = "import sys; from orderloom.cli import main; sys.exit(main())"


def environment(**modules: str) -> dict[str, str]:
    stand_ins = dict.fromkeys(SERVICES, "standin") | modules
    return os.environ | {
        "PYTHONPATH": str(TESTS),
        "ORDERLOOM_MODULES": json.dumps(stand_ins),
        "ORDERLOOM_FSYNC": "off",
    }


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def a_stack(path: Path) -> Iterator[Running]:
    stack = Running(DataFolder(path / "data"))
    stack.folder.create()
    stack.folder.defaults_installed.touch()  # a stand-in would not know what to do with them
    try:
        yield stack
    finally:
        stack.orderloom("down", "--wipe")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with a_stack(tmp_path_factory.mktemp("stack")) as stack:
        both = [stack.starting(), stack.starting()]
        stack.said = "".join(starting.communicate()[0] for starting in both)
        assert [starting.returncode for starting in both] == [0, 0], stack.said
        yield stack


def test_two_ups_at_once_start_one_stack(stack: Running) -> None:
    own = [process for process in psutil.process_iter(["cmdline"]) if is_supervisor_of(stack, process)]
    assert [process.pid for process in own] == [stack.pid("supervisor")]
    assert stack.log("postgres").count("ready to accept connections") == 1


def is_supervisor_of(stack: Running, process: psutil.Process) -> bool:
    command: list[str] = process.info["cmdline"] or []
    return "orderloom.supervisor" in command and str(stack.folder.path) in command


def test_status_as_json_keeps_its_shape(stack: Running) -> None:
    code, printed = stack.orderloom("status", "--json")
    found = json.loads(printed)
    assert code == 0
    assert list(found) == ["healthy", "addresses", "parts", "parked"]
    assert found["healthy"] is True
    assert found["parked"] == 0
    assert set(found["addresses"]) == {"gateway", "kafka", "postgres", "mail", "order", "project", "finance", "notify"}
    assert list(found["parts"]) == PARTS
    for part in found["parts"].values():
        assert part["healthy"] is True
        assert [lives(pid) for pid in part["pids"]] == [True]


def test_a_second_up_says_that_the_stack_runs(stack: Running) -> None:
    code, printed = stack.orderloom("up")
    assert code == 0
    assert "running already" in printed


def test_programs_of_postgresql_run_on_the_server_of_the_stack(stack: Running) -> None:
    command = stack.command("pg", "psql", "-d", "finance", "-Atc", "SELECT current_database()")
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "finance"), done.stderr


def test_the_administrators_password_is_for_its_owner_only(stack: Running) -> None:
    for secret in (stack.folder.admin_password, stack.folder.signing_key, stack.folder.postgres / "password"):
        assert secret.stat().st_mode & 0o777 == 0o600


def test_a_killed_service_is_started_again_at_its_address(stack: Running) -> None:
    before = stack.status()
    killed = stack.kill("finance")
    assert stack.until_healthy_again("finance", killed)["addresses"] == before["addresses"]


def test_a_killed_postgres_recovers_what_was_committed(stack: Running) -> None:
    parked = "INSERT INTO parked_keys VALUES ('notify.effects', 'key', 'a reason', now())"
    insert(stack, parked, database="notify")
    killed = stack.kill("postgres")
    assert stack.until_healthy_again("postgres", killed)["parked"] == 1


def test_a_killed_broker_is_told_everything_again_while_the_services_rest(stack: Running) -> None:
    for database, minute in (("order", 0), ("finance", 1), ("order", 2), ("finance", 3)):
        insert(stack, fact(minute), database=database)
    killed = stack.kill("kafka")
    stack.until_healthy_again("kafka", killed)

    assert asyncio.run(read_orders(stack, 4)) == ["fact 0", "fact 1", "fact 2", "fact 3"]
    assert unpublished(stack, "order") == unpublished(stack, "finance") == 0
    started = next(line for line in reversed(stack.log("supervisor").splitlines()) if "kafka started" in line)
    for service in SERVICES:
        *_, paused, resumed = stack.log(service).splitlines()
        assert paused.endswith("paused")
        assert resumed.endswith("resumed")
        assert float(paused.split()[0]) < logged_at(started) < float(resumed.split()[0])


def logged_at(line: str) -> float:
    return time.mktime(time.strptime(line[:19], "%Y-%m-%d %H:%M:%S")) + float(line[20:23]) / 1000


def test_republish_tells_the_facts_again_on_demand(stack: Running) -> None:
    for database, minute in (("project", 4), ("notify", 5)):
        insert(stack, fact(minute), database=database)
    _, printed = stack.orderloom("republish")
    count = int(printed.split()[1])
    again = asyncio.run(read_orders(stack, count))[-count:]
    assert again[-2:] == ["fact 4", "fact 5"]
    assert again == sorted(again)
    assert "Told 0 facts" in stack.orderloom("republish", "--directory")[1]
    assert stack.status()["healthy"]


def test_a_second_stack_runs_beside_the_first_and_ends_alone(
    stack: Running, tmp_path: Path, unused_tcp_port: int
) -> None:
    with a_stack(tmp_path) as other:
        command = other.command("up", "--foreground", "--port", f"gateway={unused_tcp_port}")
        with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as foreground:
            assert foreground.stdout
            while not foreground.stdout.readline().startswith("gateway"):
                assert foreground.poll() is None
            found = other.status()
            foreground.send_signal(signal.SIGINT)
            assert foreground.wait(PATIENCE_SECONDS) == 0
        assert not [part for part in found["parts"].values() if lives(part["pids"][0])]
        assert found["addresses"]["gateway"] == f"http://127.0.0.1:{unused_tcp_port}"
        assert not set(found["addresses"].values()) & set(stack.status()["addresses"].values())
    assert not other.folder.path.exists()
    assert stack.status()["healthy"]


def test_after_the_supervisor_was_killed_up_ends_the_orphans_and_starts_anew(stack: Running) -> None:
    before = stack.status()
    stack.kill("supervisor")
    assert stack.orderloom("status")[0] == 1
    assert stack.orderloom("up")[0] == 0
    after = stack.status()
    assert after["addresses"] == before["addresses"]
    assert not [part for part in before["parts"].values() if lives(part["pids"][0])]


def lives(pid: int) -> bool:
    """A process that ended stays in the list until its parent looks."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_failed_migration_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    with a_stack(tmp_path) as stack:
        code, printed = stack.orderloom("up", finance="no_such_module")
        assert code == 1
        assert "The migration of finance failed" in printed
        assert "No module named no_such_module" in printed


def test_down_wipes_no_folder_of_others(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    assert Running(DataFolder(tmp_path)).orderloom("down", "--wipe")[0] == 1
    assert Running(DataFolder(tmp_path)).orderloom("up")[0] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def fact(minute: int) -> str:
    return f"""
        INSERT INTO outbox (topic, key, type, headers, body, recorded_at) VALUES
            ('orders', 'one', 'a.fact.v1', '{{"ce_id": "{minute}"}}', 'fact {minute}', '2026-11-01 08:0{minute}Z')
    """


def insert(stack: Running, statement: str, *, database: str) -> None:
    asyncio.run(query(stack, statement, database))


def unpublished(stack: Running, database: str) -> int:
    return int(asyncio.run(query(stack, "SELECT count(*) FROM outbox WHERE published_at IS NULL", database)))


async def query(stack: Running, statement: str, database: str) -> Any:
    connection = await asyncpg.connect(Stack.of(stack.folder).databases[database])
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def read_orders(stack: Running, count: int) -> list[str]:
    """Return the first `count` bodies on the topic, and the next if there are more."""
    consumer = AIOKafkaConsumer(bootstrap_servers=Stack.of(stack.folder).bootstrap_servers, fetch_max_wait_ms=20)
    await consumer.start()
    try:
        consumer.assign([TopicPartition("orders", number) for number in range(PARTITIONS_EMBEDDED)])
        await consumer.seek_to_beginning()
        bodies = [(await consumer.getone()).value.decode() for _ in range(count)]
        more = await consumer.getmany(timeout_ms=200)
        return bodies + [record.value.decode() for records in more.values() for record in records]
    finally:
        await consumer.stop()
