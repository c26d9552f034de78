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
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from checks.picture import drawn
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
APPROVED = "order.approved.v1"
CAUSED = {APPROVED, "project.created.v1", "instalments.planned.v1"}
"""What the approval of an order leads to without anybody doing anything more, notices and stages aside."""
HEARS_ALL = ("order.thread", "gateway.view")
"""Consumers that apply every fact of an order: the last thing that becomes of it."""
MISSING = """\
NOT CHECKED: there is no OpenTelemetry collector. Name one with COLLECTOR=/path/to/otelcol, or put `otelcol-contrib`
or `otelcol` on the path. Without it nobody has seen that traces come through."""


class NotOneTrace(Exception):
    """What came out of the collector is not what had to."""


def main() -> int:
    """2 when there is no collector, which is not a success."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collector", help="its program")
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="to be drawn of the trace")
    arguments = parser.parse_args()
    named = arguments.collector
    collector = shutil.which(named) if named else shutil.which("otelcol-contrib") or shutil.which("otelcol")
    if not collector:
        print(MISSING, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="orderloom-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user when we are root
        try:
            picture = asyncio.run(check(collector, DataFolder(Path(folder) / "data")))
        except (NotOneTrace, up.StackFailed) as reason:
            print(f"FAILED: {reason}", file=sys.stderr)
            return 1
    if arguments.picture:
        arguments.picture.write_text(picture)
    return 0


async def check(collector: str, folder: DataFolder) -> str:
    """A picture of the trace. Raises `NotOneTrace`, `StackFailed`."""
    with running_sink() as sink, running_collector(collector, traces_go_to=sink.url) as otlp_endpoint:
        os.environ |= {"ORDERLOOM_OTLP_ENDPOINT": otlp_endpoint, "ORDERLOOM_TRACE_RATIO": "1"}
        try:
            await up.up(folder, up.Wanted(is_apart=True), print)
            return await approve_and_look(Stack.of(folder), sink)
        finally:
            await up.down(folder)


@contextmanager
def running_collector(program: str, *, traces_go_to: str) -> Iterator[str]:
    """The address it takes traces at. Raises `NotOneTrace` when it does not start."""
    chosen: set[int] = set()
    names = ("OTLP_HTTP_PORT", "OTLP_GRPC_PORT", "SPAN_METRICS_PORT", "OWN_METRICS_PORT", "HEALTH_PORT")
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


async def approve_and_look(stack: Stack, sink: Sink) -> str:
    """A picture. Raises `NotOneTrace`, with what is missing."""
    async with gateway_of(stack) as gateway:
        order_id, trace_id, request_id = await approve_an_order(gateway)
        deadline = time.monotonic() + TRACE_SECONDS
        while missing := lacking(sink.of_trace(trace_id), request_id, await facts_of_approval(gateway, order_id)):
            if time.monotonic() > deadline:
                raise NotOneTrace("\n".join([f"Trace {trace_id}:", *missing]))
            await asyncio.sleep(POLL_SECONDS)
    found = sink.of_trace(trace_id)
    print(f"One trace, {len(found)} spans of {len({span.service for span in found})} services:")
    print("\n".join(_tree(found, request_id)))
    return drawn(found, request_id)


def gateway_of(stack: Stack) -> Gateway:
    """To be entered; everybody of the demo can sign in."""
    passwords = {ADMINISTRATOR: secret_once(stack.folder.admin_password)}
    return Gateway(stack.url("gateway"), passwords, password=DEMO_PASSWORD)


async def approve_an_order(gateway: Gateway) -> tuple[str, str, str]:
    """The ids of the order, and of the trace and the span that its last approval was asked under."""
    cast = Cast(gateway)
    order = await _an_order(gateway, cast)
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
    return order["order_id"], trace_id, span_id


async def _an_order(gateway: Gateway, cast: Cast) -> Mapping[str, Any]:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write(ORDERS.read_text().splitlines()[0])
        file.flush()
        async for imported in import_file(gateway, cast.seller, Path(file.name)):
            (order_id,) = imported.orders
    order: Mapping[str, Any] = await gateway.get(cast.reader, f"/api/order/orders/{order_id}")
    return order


async def facts_of_approval(gateway: Gateway, order_id: str) -> Counter[str]:
    """By type, how many facts on the thread the request for the approval caused, at first or at last hand."""
    facts = await gateway.all_pages(ADMINISTRATOR, f"/api/order/orders/{order_id}/trace")
    requests = {fact["cause_id"] for fact in facts if fact["type"] == APPROVED}
    of_request: set[int] = set()
    for fact in facts:  # causes stand before their effects
        if fact["cause_id"] in requests or fact["cause_position"] in of_request:
            of_request.add(fact["position"])
    return Counter(fact["type"] for fact in facts if fact["position"] in of_request)


def lacking(spans: list[Span], request_id: str, facts: Counter[str]) -> list[str]:
    """What keeps `spans` from being one whole trace below the request, with every one of `facts` in it."""
    known = {span.span_id for span in spans} | {request_id}
    loose = [f"{span.service}: {span.name} hangs on nothing" for span in spans if span.parent_id not in known]
    silent = [f"{service} has no span" for service in SERVICES if not any(span.service == service for span in spans)]
    untold = [f"nothing has told {fact}" for fact in sorted(CAUSED - set(facts))]
    applied = Counter(span.name for span in spans)
    unseen = [
        f"{consumer} has {applied[f'{consumer} {fact}']} of {count} {fact}"
        for consumer in HEARS_ALL
        for fact, count in sorted(facts.items())
        if applied[f"{consumer} {fact}"] < count
    ]
    return loose + silent + untold + unseen


def _tree(spans: list[Span], parent_id: str, depth: int = 0) -> Iterator[str]:
    for span in spans:
        if span.parent_id == parent_id:
            yield f"{'  ' * depth}{span.service}: {span.name}"
            yield from _tree(spans, span.span_id, depth + 1)


if __name__ == "__main__":
    sys.exit(main())
