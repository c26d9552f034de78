"""One trace from an HTTP request to the last effect in every service, as a real collector hands it on.

`make ops-check COLLECTOR=/path/to/otelcol`: starts a stack with APIs and workers apart, and a collector with the
configuration that is deployed; approves an order under a trace of its own, and looks at what the collector tells.
"""

import argparse
import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from checks.sink import Sink, Span, running_sink
from contracts.topics import SERVICES
from orderloom import ports, up
from orderloom.defaults import ADMINISTRATOR, DEMO_PASSWORD
from orderloom.demo.cast import Cast
from orderloom.demo.orders_file import import_file
from orderloom.folder import DataFolder, secret_once
from orderloom.gateway import Gateway
from orderloom.stack import Stack

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "deploy" / "observe" / "collector.yaml"
ORDERS = ROOT / "examples" / "orders.jsonl"
COLLECTOR_SECONDS = 30.0
TRACE_SECONDS = 60.0
POLL_SECONDS = 0.2
CAUSED = {"order.approved.v1", "project.created.v1", "instalments.planned.v1"}
"""What the approval of an order leads to without anybody doing anything more, notices and stages aside."""
MISSING = """\
NOT CHECKED: there is no OpenTelemetry collector. Name one with COLLECTOR=/path/to/otelcol, or put `otelcol-contrib`
or `otelcol` on the path. Without it nobody has seen that traces come through."""


class NotOneTrace(Exception):
    """What came out of the collector is not what had to."""


def main() -> int:
    """2 when there is no collector, which is not a success."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collector", help="its program")
    named = parser.parse_args().collector
    collector = shutil.which(named) if named else shutil.which("otelcol-contrib") or shutil.which("otelcol")
    if not collector:
        print(MISSING, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="orderloom-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user when we are root
        try:
            asyncio.run(check(collector, DataFolder(Path(folder) / "data")))
        except (NotOneTrace, up.StackFailed) as reason:
            print(f"FAILED: {reason}", file=sys.stderr)
            return 1
    return 0


async def check(collector: str, folder: DataFolder) -> None:
    """Raises `NotOneTrace`, `StackFailed`."""
    with running_sink() as sink, running_collector(collector, traces_go_to=sink.url) as otlp_endpoint:
        os.environ |= {"ORDERLOOM_OTLP_ENDPOINT": otlp_endpoint, "ORDERLOOM_TRACE_RATIO": "1"}
        try:
            await up.up(folder, up.Wanted(is_apart=True), print)
            trace_id, request_id = await approve_an_order(Stack.of(folder))
            await until_whole(sink, trace_id, request_id)
        finally:
            await up.down(folder)


@contextmanager
def running_collector(program: str, *, traces_go_to: str) -> Iterator[str]:
    """The address it takes traces at. Raises `NotOneTrace` when it does not start."""
    chosen: set[int] = set()
    names = ("OTLP_HTTP_PORT", "OTLP_GRPC_PORT", "SPAN_METRICS_PORT", "HEALTH_PORT")
    told = {name: str(ports.choose(chosen)) for name in names}
    environment = os.environ | told | {"OTLP_LISTEN_HOST": "127.0.0.1", "TRACES_ENDPOINT": traces_go_to}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [program, "--config", str(CONFIGURATION)], env=environment, stdout=output, stderr=output
        )
        try:
            if not _is_healthy(process, f"http://127.0.0.1:{told['HEALTH_PORT']}"):
                output.seek(0)
                raise NotOneTrace(f"The collector did not start: {output.read().decode(errors='replace')[-2000:]}")
            yield f"http://127.0.0.1:{told['OTLP_HTTP_PORT']}"
        finally:
            process.terminate()
            process.wait()


def _is_healthy(process: "subprocess.Popen[bytes]", url: str) -> bool:
    deadline = time.monotonic() + COLLECTOR_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url).status_code == 200:
                return True
        except httpx.TransportError:
            time.sleep(POLL_SECONDS)
    return False


async def approve_an_order(stack: Stack, line: int = 0) -> tuple[str, str]:
    """The ids of the trace, and of the span, that the last approval was asked under. The order is an example's."""
    passwords = {ADMINISTRATOR: secret_once(stack.folder.admin_password)}
    async with Gateway(stack.url("gateway"), passwords, password=DEMO_PASSWORD) as gateway:
        cast = Cast(gateway)
        order = await _an_order(gateway, cast, line)
        while order["status"] == "submitted":
            step = order["approval_steps"][order["step"] - 1]
            trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
            answer = await gateway.post(
                cast.holder(step["role"], other_than=order["requester"]),
                f"/api/order/orders/{order['order_id']}/approval",
                {"step": step["step"]},
                headers={"traceparent": f"00-{trace_id}-{span_id}-01"},
            )
            order = answer.json()
        return trace_id, span_id


async def _an_order(gateway: Gateway, cast: Cast, line: int) -> Mapping[str, Any]:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write(ORDERS.read_text().splitlines()[line])
        file.flush()
        async for imported in import_file(gateway, cast.seller, Path(file.name)):
            (order_id,) = imported.orders
    order: Mapping[str, Any] = await gateway.get(cast.reader, f"/api/order/orders/{order_id}")
    return order


async def until_whole(sink: Sink, trace_id: str, request_id: str) -> None:
    """Raises `NotOneTrace`, with what is missing."""
    deadline = time.monotonic() + TRACE_SECONDS
    while missing := lacking(sink.of_trace(trace_id), request_id):
        if time.monotonic() > deadline:
            raise NotOneTrace("\n".join([f"Trace {trace_id}:", *missing]))
        await asyncio.sleep(POLL_SECONDS)
    found = sink.of_trace(trace_id)
    print(f"One trace, {len(found)} spans of {len({span.service for span in found})} services:")
    print("\n".join(_tree(found, request_id)))


def lacking(spans: list[Span], request_id: str) -> list[str]:
    """What keeps `spans` from being one whole trace below the request; nothing when they are."""
    known = {span.span_id for span in spans} | {request_id}
    loose = [f"{span.service}: {span.name} hangs on nothing" for span in spans if span.parent_id not in known]
    silent = [f"{service} has no span" for service in SERVICES if not any(span.service == service for span in spans)]
    applied = {span.name.rpartition(" ")[2] for span in spans if span.service == "gateway"}
    return loose + silent + [f"the view of the gateway has not applied {fact}" for fact in sorted(CAUSED - applied)]


def _tree(spans: list[Span], parent_id: str, depth: int = 0) -> Iterator[str]:
    for span in spans:
        if span.parent_id == parent_id:
            yield f"{'  ' * depth}{span.service}: {span.name}"
            yield from _tree(spans, span.span_id, depth + 1)


if __name__ == "__main__":
    sys.exit(main())
