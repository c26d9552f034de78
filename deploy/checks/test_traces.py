"""The check of traces sees what is wrong with one."""

from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from checks.picture import drawn
from checks.sink import Span, running_sink
from checks.traces import CAUSED, HEARS_ALL, lacking
from contracts.topics import SERVICES

SVG = "{http://www.w3.org/2000/svg}"
REQUEST = "00000000000000aa"
FACTS = Counter({fact: 1 for fact in CAUSED})


def span(number: int, parent_id: str, service: str, name: str) -> Span:
    return Span(trace_id="t", span_id=f"{number:016x}", parent_id=parent_id, service=service, name=name)


@pytest.fixture
def whole() -> list[Span]:
    """A request at the gateway, everything else below it."""
    first = span(1, REQUEST, "gateway", "POST /api/order")
    each = [(service, "works") for service in SERVICES]
    each += [(consumer.partition(".")[0], f"{consumer} {fact}") for consumer in HEARS_ALL for fact in sorted(CAUSED)]
    return [first, *(span(2 + n, first.span_id, service, name) for n, (service, name) in enumerate(each))]


def test_a_whole_trace_lacks_nothing(whole: list[Span]) -> None:
    assert lacking(whole, REQUEST, FACTS) == []


def test_a_picture_has_a_bar_and_a_name_for_every_span(whole: list[Span]) -> None:
    timed = [replace(each, started_ns=10**6 * n, ended_ns=10**6 * (n + 5)) for n, each in enumerate(whole)]
    picture = drawn(timed, REQUEST)
    names = ["".join(text.itertext()) for text in ElementTree.fromstring(picture).iter(f"{SVG}text")]
    assert picture.count("<rect") == len(whole) + 1
    assert "POST /api/ordergateway" in names
    assert "worksfinance" in names
    assert "order.approved.v1gateway.view" in names


def test_a_span_whose_parent_never_came_is_seen(whole: list[Span]) -> None:
    whole[3] = replace(whole[3], parent_id="ffffffffffffffff")
    assert lacking(whole, REQUEST, FACTS) == [f"{whole[3].service}: works hangs on nothing"]


def test_a_service_without_a_span_is_seen(whole: list[Span]) -> None:
    assert lacking([each for each in whole if each.service != "finance"], REQUEST, FACTS) == ["finance has no span"]


def test_a_fact_that_is_not_in_the_trace_as_often_as_it_was_told_is_seen(whole: list[Span]) -> None:
    facts = FACTS + Counter({"project.created.v1": 1})
    assert lacking(whole, REQUEST, facts) == [f"{each} has 1 of 2 project.created.v1" for each in HEARS_ALL]


def test_an_approval_that_caused_nothing_is_seen(whole: list[Span]) -> None:
    assert lacking(whole, REQUEST, Counter()) == [f"nothing has told {fact}" for fact in sorted(CAUSED)]


def test_what_a_collector_hands_on_is_kept() -> None:
    request = ExportTraceServiceRequest()
    of_resource = request.resource_spans.add()
    attribute = of_resource.resource.attributes.add()
    attribute.key, attribute.value.string_value = "service.name", "orderloom-order"
    told = of_resource.scope_spans.add().spans.add()
    told.trace_id, told.span_id, told.name = bytes(16), bytes(8), "POST /orders"
    with running_sink() as sink:
        httpx.post(f"{sink.url}/v1/traces", content=request.SerializeToString()).raise_for_status()
        (kept,) = sink.of_trace("0" * 32)
    assert (kept.service, kept.name, kept.parent_id) == ("order", "POST /orders", "")
