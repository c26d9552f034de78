"""`docs/asyncapi.json`: what is said on the bus, for machines (AsyncAPI 3.0)."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts import topics
from contracts.catalogue import EVENTS, MESSAGES
from contracts.envelope import HEADERS, REQUIRED_OF_REQUESTS
from contracts.event import DirectoryEvent, OrderEvent

SCHEMAS = "../contracts/schemas"
"""From the document."""
BINDING = {"bindingVersion": "0.5.0"}


def asyncapi(version: str, examples: Mapping[str, Any]) -> dict[str, Any]:
    """The document of `version`. `examples` are bodies by wire name."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Orderloom",
            "version": version,
            "description": "Every fact on the bus, who tells it and who reads it. Systems outside write to "
            "`integration.inbound` and read `integration.outbound`; the other topics are internal. "
            "Addresses are as before a deployment's prefix. The prose is in `events.md`.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in topics.CATALOGUE},
        "operations": dict(_operation(*each) for topic in topics.CATALOGUE for each in _parties(topic)),
        "components": {
            "messages": {name: _message(name, examples[name]) for name in MESSAGES},
            "schemas": {
                "fact-headers": _headers([header.name for header in HEADERS if header.required]),
                "request-headers": _headers(REQUIRED_OF_REQUESTS),
            },
        },
    }


def _channel(topic: topics.Topic) -> dict[str, Any]:
    settings = topic.kafka_settings
    return {
        "address": topic.name,
        "description": topic.purpose,
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"}
            for name, message in MESSAGES.items()
            if message.topic == topic.name
        },
        "bindings": {
            "kafka": {
                "partitions": topics.PARTITIONS,
                "topicConfiguration": settings | {"cleanup.policy": [settings["cleanup.policy"]]},
                **BINDING,
            }
        },
    }


def _parties(topic: topics.Topic) -> list[tuple[topics.Topic, str, str]]:
    writers = [(topic, party, "send") for party in topic.writers]
    return writers + [(topic, party, "receive") for party in topic.readers]


def _operation(topic: topics.Topic, party: str, action: str) -> tuple[str, dict[str, Any]]:
    """Someone that sends names what it tells; someone that receives takes whatever comes."""
    operation: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "tags": [{"name": party}],
    }
    if action == "send":
        operation["messages"] = [
            {"$ref": f"#/channels/{topic.name}/messages/{name}"}
            for name, message in MESSAGES.items()
            if message.topic == topic.name and message.teller == party
        ]
    return f"{party}.{action}.{topic.name}", operation


def _message(name: str, example: Any) -> dict[str, Any]:
    message = MESSAGES[name]
    source = {"const": message.teller} if name in EVENTS else {"not": {"enum": list(topics.SERVICES)}}
    headers = "fact-headers" if name in EVENTS else "request-headers"
    return {
        "name": name,
        "title": message.__name__,
        "summary": message.__doc__,
        "headers": {
            "allOf": [{"$ref": f"#/components/schemas/{headers}"}],
            "properties": {"ce_type": {"const": name}, "ce_source": source},
        },
        "payload": {"$ref": f"{SCHEMAS}/{name}.json"},
        "bindings": {"kafka": {"key": _key(message), **BINDING}},
        "examples": [{"payload": example}],
    }


def _key(message: type) -> dict[str, str]:
    if issubclass(message, OrderEvent):
        return {"type": "string", "format": "uuid", "description": "order_id"}
    if issubclass(message, DirectoryEvent):
        return {"type": "string", "description": "The id of what it is about."}
    return {"type": "string", "description": "Chosen by the sender of the request; the external id is advised."}


def _headers(required: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "A CloudEvent 1.0 in binary mode.",
        "required": list(required),
        "properties": {
            header.name: {"type": "string", "description": header.meaning, "examples": [header.example]}
            for header in HEADERS
        },
    }
