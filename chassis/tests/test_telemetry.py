"""One trace runs from a request through the outbox to what consumers do about it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from facts import delivery_submitted
from order_world import ORDER, SALES, ready
from stack import Running


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("chassis.telemetry.TRACER", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def test_a_line_that_cannot_be_logged_does_not_stop_what_logs_it() -> None:
    program = (
        "import os, structlog; from chassis import telemetry;"
        "telemetry.start(service='s', trace_ratio=0, otlp_endpoint='', log_level='INFO');"
        "[structlog.get_logger().warning('x' * 5000) for _ in range(50)];"
        "os._exit(7)"
    )
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run([sys.executable, "-c", program], stdout=full, stderr=full, check=False, timeout=60)
    assert ran.returncode == 7


async def test_a_fact_carries_the_trace_of_its_request_and_a_consumer_goes_on_with_it(
    order_service: Running, spans: InMemorySpanExporter
) -> None:
    await ready(order_service)
    spans.clear()
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    placed = await order_service.post("/orders", SALES, json=ORDER, headers={"traceparent": caller})
    (told,) = await order_service.told("order.placed.v1")
    trace_id = caller.split("-")[1]
    assert told["headers"]["traceparent"].split("-")[1] == trace_id

    fact = delivery_submitted(placed.json()["order_id"])
    await order_service.hear(fact, traceparent=told["headers"]["traceparent"])
    contexts = {span.name: span.get_span_context() for span in spans.get_finished_spans()}
    finished = {name: format(context.trace_id, "032x") for name, context in contexts.items() if context}
    assert finished["POST /orders"] == trace_id
    assert finished["order.thread delivery.submitted.v1"] == trace_id
    assert finished["order.effects delivery.submitted.v1"] == trace_id
    assert trace.get_current_span().get_span_context().is_valid is False


async def test_a_fact_that_was_not_traced_begins_no_trace_of_its_own(
    order_service: Running, spans: InMemorySpanExporter
) -> None:
    await ready(order_service)
    placed = await order_service.post("/orders", SALES, json=ORDER)
    spans.clear()
    await order_service.hear(delivery_submitted(placed.json()["order_id"]))
    assert spans.get_finished_spans() == ()
