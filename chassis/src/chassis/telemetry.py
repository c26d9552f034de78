"""Traces, metrics and logs. One trace runs from an HTTP request through outbox and Kafka to every effect.

Spans are made here, at HTTP, at `record` and at every consumed fact, and none per SQL statement.
"""

import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, TextIO, cast

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Counter, Gauge, Histogram

TRACER = trace.get_tracer("orderloom")
PROPAGATOR = TraceContextTextMapPropagator()

AGES = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)

REQUESTS = Counter("orderloom_http_requests", "Requests answered", ["service", "method", "route", "status"])
REQUEST_SECONDS = Histogram("orderloom_http_request_seconds", "Time to the answer", ["service", "method", "route"])
RELAYED = Counter("orderloom_relayed_facts", "Facts of the outbox acknowledged by Kafka", ["service"])
APPLIED = Counter("orderloom_applied_facts", "Facts applied with their effects", ["service", "consumer", "type"])
FACT_AGE = Histogram(
    "orderloom_fact_age_seconds", "Age of facts when they are applied", ["service", "consumer"], buckets=AGES
)
EFFECT_SECONDS = Histogram(
    "orderloom_effect_seconds", "From the telling of a fact to one that it caused", ["service", "type"], buckets=AGES
)
LAST_BATCH = Gauge("orderloom_last_batch_timestamp_seconds", "When a batch was last brought to its end", ["service"])
PARKED = Counter("orderloom_parked_facts", "Keys parked because a fact could not be applied", ["service", "consumer"])
DEAD_LETTERS = Counter("orderloom_dead_letters", "Records that nobody can ever apply", ["service", "topic"])
TIMERS_FIRED = Counter("orderloom_timers_fired", "Durable timers fired", ["service", "kind"])
TIMER_LATENESS = Gauge("orderloom_timer_lateness_seconds", "How late the last timer fired", ["service"])
TIMERS_OVERDUE = Gauge("orderloom_timers_overdue_seconds", "How long the oldest due timer has not fired", ["service"])
OUTBOX_POSITION = Gauge("orderloom_outbox_position", "Of the newest fact. It never goes back", ["service"])
OUTBOX_AGE = Gauge("orderloom_outbox_age_seconds", "Age of the oldest fact that is not published", ["service"])
OUTBOX_PENDING = Gauge("orderloom_outbox_pending_facts", "Facts that are not published", ["service"])
PARKED_KEYS = Gauge("orderloom_parked_keys", "Keys that wait for somebody", ["service"])
WAITING_KEYS = Gauge("orderloom_waiting_keys", "Keys that wait for a fact not heard of yet", ["service"])
PARKED_AGE = Gauge("orderloom_parked_age_seconds", "How long the oldest key waits for somebody", ["service"])
WAITING_AGE = Gauge("orderloom_waiting_age_seconds", "How long the oldest key waits for a fact", ["service"])
CONSUMER_LAG = Gauge("orderloom_consumer_lag_records", "Records not read yet", ["service", "topic"])
PARTITIONS = Gauge("orderloom_partitions", "Known, assigned here, or without a leader", ["service", "topic", "state"])
DATABASE_BYTES = Gauge("orderloom_database_bytes", "Size of the database", ["service"])
DATABASE_BYTES_MAX = Gauge("orderloom_database_bytes_max", "Room for it, where that was told; else 0", ["service"])
DATABASE_READ_ONLY = Gauge("orderloom_database_read_only", "1 where nothing can be written", ["service"])
DATABASE_FAILURES = Counter("orderloom_database_failures", "Statements that PostgreSQL refused", ["sqlstate"])
ARCHIVE_FAILING = Gauge("orderloom_archive_failing", "1 when the last archiving of the WAL failed", ["service"])
CERTIFICATE_END = Gauge("orderloom_certificate_end_timestamp_seconds", "Until then it is good", ["service", "file"])
LOOP_DELAY = Histogram(
    "orderloom_event_loop_delay_seconds",
    "How late the event loop comes back to what waits for nothing",
    ["service"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
READY = Gauge("orderloom_ready", "Whether a part was well when /readyz was last asked", ["service", "part"])
BUILD = Gauge("orderloom_build_info", "Always 1", ["service", "process", "version"])


class LossyOutput:
    """Standard output for logs: a full disk, or a reader that is gone, costs lines, and never what was being done."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stdout.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stdout.flush()


def start(*, service: str, trace_ratio: float, otlp_endpoint: str, log_level: str) -> None:
    """Set the process up: JSON logs with trace ids on its outputs, and traces to `otlp_endpoint` if there is one."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"orderloom-{service}"}),
        sampler=ParentBasedTraceIdRatio(trace_ratio),
    )
    if otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
            OTLPSpanExporter,  # a tenth of a second to load
        )

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{otlp_endpoint}/v1/traces")))
    trace.set_tracer_provider(provider)
    level = logging.getLevelName(log_level.upper())
    _log_libraries_alike()
    structlog.configure(
        processors=[*PROCESSORS, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, LossyOutput())),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def _log_libraries_alike() -> None:
    """What libraries have to say, from warnings on: each message one line of JSON too, whatever text is in it."""
    rendering: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*PROCESSORS, structlog.stdlib.add_logger_name], processors=rendering
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def carrier() -> dict[str, str]:
    """The trace of this moment as headers: `traceparent`, or nothing when this moment is not traced."""
    headers: dict[str, str] = {}
    if trace.get_current_span().is_recording():
        PROPAGATOR.inject(headers)
    return headers


def span_of_fact(name: str, headers: Mapping[str, str], **attributes: Any) -> AbstractContextManager[object]:
    """A span below the one that told the fact. Nothing when that was not traced: a trace begins at a request."""
    return span(name, caused_by=headers, **attributes) if "traceparent" in headers else nullcontext()


@contextmanager
def span(name: str, *, caused_by: Mapping[str, str] | None = None, **attributes: Any) -> Iterator[trace.Span]:
    """A span below the current one, or below the one whose headers are in `caused_by`."""
    context = PROPAGATOR.extract(caused_by) if caused_by is not None else None
    with TRACER.start_as_current_span(name, context=context, attributes=attributes) as current:
        yield current


def _add_trace_id(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
    return event


PROCESSORS: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    _add_trace_id,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
"""What every line of the log says beside its own."""
