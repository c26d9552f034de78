"""`docs/events.md`: what is said on the bus, for people. Generated; what cannot be derived is in `PAGE`."""

import json
from collections.abc import Iterable, Mapping
from string import Template
from typing import Any

from contracts import topics
from contracts.catalogue import MESSAGES
from contracts.envelope import HEADERS
from contracts.integration import ErpOrderRejected, ErpOrderRequested
from contracts.schema import Schema

PAGE = Template("""\
# Events

Everything that crosses a service border, generated from `contracts/` by `make contracts`: change it there.
The schemas are in [`contracts/schemas`](../contracts/schemas), one example of each in
[`contracts/examples`](../contracts/examples), the same for machines in [`asyncapi.json`](asyncapi.json).

The examples tell one order: 120 brackets, asked for by an ERP, made, accepted, invoiced in three instalments and paid.
Those of rejecting and cancelling tell how it could have ended instead.

A body only ever gains optional fields: ignore those that you do not know. Anything else is a new type, `….v2`.
In the tables a `decimal` is a string of digits, exact: amounts have as many after the point as their currency; a `date`
is `YYYY-MM-DD` in the company's zone; a `date-time` is RFC 3339 in UTC.

- [Envelope](#envelope)
- [Topics](#topics)
$contents
- [Parts](#parts)
- [How an ERP takes part](#how-an-erp-takes-part)

## Envelope

A record's headers are the attributes of a [CloudEvent 1.0](https://cloudevents.io) in binary mode; its value is the
JSON of the body and nothing else.

$headers

## Topics

Names are as before a deployment's prefix, which is empty by default.

$topics

$events
## Parts

What bodies are made of.

$parts
## How an ERP takes part

Write requests to `integration.inbound`, read answers and progress from `integration.outbound`, and nothing else:
the other topics are internal. Delivery is at least once in both directions: the same `ce_id` is the same message.

### Asking for an order

- **Type** `$request`, **source** the name of your system (not $services),
  **id** a new one for each request of this source. An external id is one order per source.
- **Key**: requests of one key are read in order, answers keep the key. The external id is advised. Java clients place
  keys as Kafka does. Clients on librdkafka (C, C#, Go, Python) do not by default: set `partitioner=murmur2_random`,
  or write each key with one client only, or requests of one key may overtake each other.
- **Value**: the order, at most 1 MiB of UTF-8. Amounts are strings (`"85.50"`, not `85.5`); what is not in the schema
  is refused, never ignored; `null` stands only where the schema takes it.

Binary mode, advised: the attributes are headers, the value is the order.

```
$binary
```

Structured mode: one header, and attributes and order together in the value.

```
content-type: application/cloudevents+json
```
```json
$structured
```

### Being answered

Every request gets one answer, under its key, with the header `ce_causationid` holding its id and `ce_recipient` its
source: read those with your name, skip the others. The same request again (source and id) gets no second answer.

| what came | answer |
|---|---|
| an order that can be placed | `erp.order.accepted.v1`: it is placed, not yet approved |
| an equal order with a new id (equal JSON: `"120"` and `"120.0"` differ) | accepted, with the ids of the first |
| another order with an external id that is taken | rejected, `/external_id` |
| an order that cannot be placed | rejected, with every error in it; the external id is not taken |
| no JSON, no object, too large | rejected, with the field `""`; the message is kept in `order.dead-letter` |
| no source or no id | nobody can be told: it is kept in `order.dead-letter` |

Then `erp.order.progressed.v1` tells what becomes of it, in order, under the same key.

### Being rejected

`field` is a JSON Pointer (RFC 6901) into the order: `/lines/0/quantity` is the quantity of the first line, `/colour` a
member that is missing or not known, `/terms` percents that do not add up to 100, `""` the whole.

```json
$rejected
```
""")


def events_page(schemas: Mapping[str, Schema], examples: Mapping[str, Any]) -> str:
    """The page. `examples` are bodies by wire name."""
    request = examples[ErpOrderRequested.type]
    attributes = {"specversion": "1.0", "id": "SO-2026-1187-1", "source": "yonyou-u9", "type": ErpOrderRequested.type}
    binary = [f"ce_{name}: {value}" for name, value in attributes.items()] + ["content-type: application/json"]
    structured = attributes | {"datacontenttype": "application/json", "data": request}
    return PAGE.substitute(
        contents="\n".join(f"- [`{topic.name}`](#{_anchor(topic.name)})" for topic in topics.CATALOGUE if _told(topic)),
        headers=_table("header required meaning example", _header_rows()),
        topics=_table("topic purpose key written_by read_by partitions kept", map(_topic_row, topics.CATALOGUE)),
        events="\n".join(_topic_section(topic, schemas, examples) for topic in topics.CATALOGUE if _told(topic)),
        parts="\n".join(_parts(schemas)),
        request=ErpOrderRequested.type,
        services=", ".join(f"`{service}`" for service in topics.SERVICES),
        binary="\n".join(binary),
        structured=_json(structured),
        rejected=_json(examples[ErpOrderRejected.type]),
    )


def _header_rows() -> Iterable[tuple[str, ...]]:
    for header in HEADERS:
        yield f"`{header.name}`", _yes(header.required), header.meaning, f"`{header.example}`"


def _topic_row(topic: topics.Topic) -> tuple[str, ...]:
    kept = f"{topics.RETENTION_DAYS} days"
    return (
        f"[`{topic.name}`](#{_anchor(topic.name)})" if _told(topic) else f"`{topic.name}`",
        topic.purpose,
        topic.key,
        ", ".join(topic.writers),
        ", ".join(topic.readers),
        str(topics.PARTITIONS),
        f"the newest of each key for ever, others {kept}" if topic.is_compacted else kept,
    )


def _topic_section(topic: topics.Topic, schemas: Mapping[str, Schema], examples: Mapping[str, Any]) -> str:
    names = _told(topic)
    rows = ((f"[`{name}`](#{_anchor(name)})", MESSAGES[name].teller, schemas[name]["description"]) for name in names)
    overview = _table("message told_by meaning", rows)
    messages = (_message_section(name, schemas[name], examples[name]) for name in names)
    return "\n".join([f"## {topic.name}\n\n{topic.purpose} Key: {topic.key}.\n\n{overview}\n", *messages])


def _told(topic: topics.Topic) -> list[str]:
    """The wire names of the messages that are told on it."""
    return [name for name, message in MESSAGES.items() if message.topic == topic.name]


def _message_section(name: str, schema: Schema, example: Any) -> str:
    return (
        f"### {name}\n\nTold by **{MESSAGES[name].teller}**. {schema['description']}\n\n{_fields(schema)}\n\n"
        f"<details><summary>Example</summary>\n\n```json\n{_json(example)}\n```\n</details>\n"
    )


def _parts(schemas: Mapping[str, Schema]) -> Iterable[str]:
    """One section for each definition. The same name must mean the same thing in every schema."""
    parts: dict[str, Schema] = {}
    for wire_name, schema in schemas.items():
        for name, part in schema.get("$defs", {}).items():
            if parts.setdefault(name, part) != part:
                raise ValueError(f"{wire_name} has another {name} than an event before it: rename one of the classes.")
    for name, part in sorted(parts.items()):
        yield f"### {name}\n\n{part['description']}\n\n{_fields(part)}\n"


def _fields(schema: Schema) -> str:
    rows = (
        (f"`{name}`", _type(field), _yes(name in schema["required"]), field.get("description", ""))
        for name, field in schema["properties"].items()
    )
    return _table("field type required meaning", rows)


def _type(schema: Schema) -> str:
    """In words, with a link to a part."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return f"[{name}](#{_anchor(name)})"
    if "anyOf" in schema:
        return " or ".join(_type(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}" + _limits(schema, "minItems", "maxItems")
    if schema["type"] == "object":
        return "any object"
    limits = _limits(schema, "minLength", "maxLength") + _limits(schema, "minimum", "maximum")
    if "format" in schema:
        return f"{schema['format']}{limits}"
    return f"{schema['type']}{limits}" + (f" like `{schema['pattern']}`" if "pattern" in schema else "")


def _limits(schema: Schema, least: str, most: str) -> str:
    return f" ({schema.get(least, 0)} to {schema[most]})" if most in schema else ""


def _table(columns: str, rows: Iterable[tuple[str, ...]]) -> str:
    names = [name.replace("_", " ") for name in columns.split()]
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def _yes(required: bool) -> str:
    return "yes" if required else "no"


def _anchor(heading: str) -> str:
    return heading.lower().replace(".", "")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
