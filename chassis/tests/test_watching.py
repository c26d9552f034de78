"""What operators watch is told, and is right."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from prometheus_client import REGISTRY
from sqlalchemy import text

from chassis import outbox, roots, telemetry, timers, watching
from chassis.clock import utc_now
from chassis.errors import is_transient
from order.models import Order
from order_world import ORDER, SALES, ready
from stack import Running


def value(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(name, labels)
    assert found is not None, f"{name} {labels} is not told"
    return found


def count(name: str, **labels: str) -> float:
    """Of a counter, which is not there before the first."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def watch_backlogs(service: Running) -> None:
    async with service.database.transaction() as session:
        await watching.watch_backlogs(session, "order")


async def test_backlogs_have_an_age(order_service: Running) -> None:
    await ready(order_service)
    await order_service.rows(
        "INSERT INTO parked_keys (consumer, key, reason, waits, parked_at) VALUES"
        " ('order.effects', 'a', 'x', false, now() - interval '1 hour'),"
        " ('order.effects', 'b', 'x', false, now()),"
        " ('order.effects', 'c', 'x', true, now() - interval '10 minutes') RETURNING key"
    )
    await watch_backlogs(order_service)
    assert value("orderloom_parked_keys", service="order") == 2
    assert 3600 <= value("orderloom_parked_age_seconds", service="order") < 3660
    assert value("orderloom_waiting_keys", service="order") == 1
    assert 600 <= value("orderloom_waiting_age_seconds", service="order") < 660
    assert value("orderloom_outbox_age_seconds", service="order") > 0


async def test_a_timer_that_does_not_fire_is_seen_and_one_to_come_is_not(order_service: Running) -> None:
    await ready(order_service)
    placed = await order_service.post("/orders", SALES, json=ORDER)
    order_id = UUID(placed.json()["order_id"])
    for due_in, overdue_seconds in ((timedelta(days=1), 0), (timedelta(minutes=-5), 300)):
        async with order_service.database.transaction(outbox.Cause(id="x", actor="system:test")) as session:
            await roots.lock(session, Order, order_id)
            timers.set_timer(session, kind="k", order_id=order_id, subject="s", due_at=utc_now() + due_in)
        await watch_backlogs(order_service)
        assert overdue_seconds <= value("orderloom_timers_overdue_seconds", service="order") <= overdue_seconds + 60


async def test_the_position_of_the_outbox_stays_when_its_rows_are_forgotten(order_service: Running) -> None:
    await ready(order_service)
    await order_service.post("/orders", SALES, json=ORDER)
    await watch_backlogs(order_service)
    before = value("orderloom_outbox_position", service="order")
    await order_service.rows("DELETE FROM outbox RETURNING position")
    await watch_backlogs(order_service)
    assert before > 0
    assert value("orderloom_outbox_position", service="order") == before


async def test_the_database_tells_its_size_and_that_it_only_reads(order_service: Running) -> None:
    settings = order_service.settings.model_copy(update={"database_bytes_max": 10**9})
    for is_read_only in (False, True):
        async with order_service.database.transaction() as session:
            await session.execute(text(f"SET default_transaction_read_only = {'on' if is_read_only else 'off'}"))
            await watching.watch_database(session, "order", settings)
            await session.execute(text("SET default_transaction_read_only = off"))
        assert value("orderloom_database_read_only", service="order") == is_read_only
    assert 10**6 < value("orderloom_database_bytes", service="order") < 10**9
    assert value("orderloom_database_bytes_max", service="order") == 10**9
    assert value("orderloom_archive_failing", service="order") == 0


async def test_a_server_that_only_reads_is_nobodys_fault_and_is_counted(order_service: Running) -> None:
    before = count("orderloom_database_failures_total", sqlstate="25006")
    with pytest.raises(Exception, match="read-only") as refused:
        async with order_service.database.transaction() as session:
            await session.execute(text("SET TRANSACTION READ ONLY"))
            await session.execute(text("DELETE FROM seen"))
    assert is_transient(refused.value)
    assert value("orderloom_database_failures_total", sqlstate="25006") == before + 1


async def test_requests_that_are_refused_or_fail_are_counted_as_what_they_were_answered(
    order_service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_lists = {"service": "order", "method": "GET", "route": "/orders"}
    before = {status: count("orderloom_http_requests_total", status=status, **of_lists) for status in ("401", "500")}
    assert (await order_service.get("/orders")).status_code == 401

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("order.queries.list_orders", broken)
    assert (await order_service.get("/orders", SALES)).status_code == 500
    for status in before:
        assert value("orderloom_http_requests_total", status=status, **of_lists) == before[status] + 1


async def test_readiness_is_told_part_by_part(order_service: Running) -> None:
    await order_service.get("/readyz")
    assert value("orderloom_ready", service="order", part="database") == 1
    await order_service.database.close()
    order_service.api.state.health._database = type(order_service.database)("postgresql+asyncpg://127.0.0.1:1/none")
    assert (await order_service.get("/readyz")).status_code == 503
    assert value("orderloom_ready", service="order", part="database") == 0


async def test_a_certificate_tells_when_the_first_of_its_file_ends(order_service: Running, tmp_path: Path) -> None:
    ends = [datetime(2031, 5, 1, tzinfo=UTC), datetime(2030, 4, 1, tzinfo=UTC)]
    file = tmp_path / "ca.pem"
    file.write_bytes(b"".join(_certificate(end) for end in ends))
    watching.watch_certificates("order", order_service.settings.model_copy(update={"kafka_ca_file": file}))
    assert value("orderloom_certificate_end_timestamp_seconds", service="order", file="ca") == ends[1].timestamp()


async def test_an_event_loop_that_is_kept_busy_is_seen() -> None:
    timing = asyncio.create_task(watching.time_loop("busy"))
    await asyncio.sleep(watching.LOOP_SECONDS / 2)
    await asyncio.to_thread(lambda: None)
    _keep_busy(seconds=watching.LOOP_SECONDS)
    await asyncio.sleep(0.05)
    timing.cancel()
    assert count("orderloom_event_loop_delay_seconds_count", service="busy") >= 1
    assert count("orderloom_event_loop_delay_seconds_sum", service="busy") > 0.1


async def test_facts_tell_how_old_they_were_and_how_long_their_effects_took(order_service: Running) -> None:
    telemetry.FACT_AGE.clear()
    telemetry.EFFECT_SECONDS.clear()
    await ready(order_service)
    placed = (await order_service.post("/orders", SALES, json=ORDER)).json()
    (told,) = await order_service.told("order.placed.v1")
    record = order_service.raw_record(
        "orders", placed["order_id"].encode(), told["body"].encode(), told["headers"] | {"ce_time": _ago(seconds=20)}
    )
    await order_service.worker.inbox.apply_all([record])
    assert count("orderloom_fact_age_seconds_count", service="order", consumer="order.thread") == 1
    assert 20 <= count("orderloom_fact_age_seconds_sum", service="order", consumer="order.thread") < 60


def _ago(*, seconds: float) -> str:
    return (utc_now() - timedelta(seconds=seconds)).isoformat()


def _keep_busy(*, seconds: float) -> None:
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        pass


def _certificate(end: datetime) -> bytes:
    key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(end)
    return built.sign(key, None).public_bytes(Encoding.PEM)
