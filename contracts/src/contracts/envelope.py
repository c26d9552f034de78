"""The headers of a record: the attributes of a CloudEvent 1.0 in Kafka's binary mode, UTF-8, without line breaks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Header:
    """`required` of every fact told by one of the five services."""

    name: str
    required: bool
    meaning: str
    example: str


HEADERS: tuple[Header, ...] = (
    Header("ce_specversion", True, "The version of CloudEvents: always 1.0.", "1.0"),
    Header(
        "ce_id",
        True,
        "The fact's id. A fact may come more than once: whoever has seen the id drops it.",
        "01a19ef7-0230-705a-90bb-3447338e9e15",
    ),
    Header("ce_type", True, "Which fact it is, with its version.", "order.placed.v1"),
    Header("ce_source", True, "Who tells it. A service refuses a fact that is not from its teller.", "order"),
    Header("ce_time", True, "When it became true: RFC 3339, UTC.", "2026-11-03T01:12:30.512000+00:00"),
    Header(
        "ce_actor",
        True,
        "Who did it: `user:`, `client:`, `system:` or `integration:`, then an id.",
        "integration:yonyou-u9",
    ),
    Header("ce_causationid", True, "The id of the event or request that caused it.", "SO-2026-1187-1"),
    Header(
        "ce_subject", False, "On `orders` the order's number, on `directory` the id of what it is about.", "ORD-000042"
    ),
    Header("ce_recipient", False, "On `integration.outbound`: the `ce_source` of the request.", "yonyou-u9"),
    Header(
        "traceparent",
        False,
        "W3C Trace Context of the transaction that recorded it.",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    Header("content-type", True, "Of the value: always JSON.", "application/json"),
)

REQUIRED_OF_REQUESTS = ("ce_specversion", "ce_id", "ce_source", "ce_type")
"""What CloudEvents asks of everyone; a system outside need not send more."""
