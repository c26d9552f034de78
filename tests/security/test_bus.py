"""Who may tell what: a fact from anyone but its teller, or on another topic than its own, changes nothing anywhere."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from chassis.application import Service
from chassis.clock import utc_now
from chassis.delivery import read
from chassis.errors import Undeliverable
from chassis.ids import new_id
from contracts import topics
from contracts.catalogue import EVENTS
from contracts.directory import UserChanged
from contracts.generate import EXAMPLES, ROOT
from facts import delivery_submitted
from order_world import ORDER, SALES, ready
from orderloom.parts import Parts
from stack import Running, running, template_database

BUS = (topics.ORDERS, topics.DIRECTORY)
ON_THE_BUS = [name for name, event in EVENTS.items() if event.topic in BUS]
NOBODYS = ("erp", "orderloom", "yonyou-u9", "Order", "order ", "")


def record(event_type: str, *, source: str, topic: str, key: str | None = None, **more: str) -> ConsumerRecord:
    """The contract's example of it, or an empty body, as somebody puts it on a topic."""
    known = EVENTS.get(event_type)
    body = (ROOT / EXAMPLES / f"{event_type}.json").read_text() if known else "{}"
    order_id = json.loads(body).get("order_id", str(new_id()))
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(new_id()),
        "ce_type": event_type,
        "ce_source": source,
        "ce_time": utc_now().isoformat(),
        "ce_actor": "user:test",
    } | more
    pairs = tuple((name, value.encode()) for name, value in headers.items())
    return ConsumerRecord(topic, 0, 0, 0, 0, (key or order_id).encode(), body.encode(), None, 0, 0, pairs)


@pytest.mark.parametrize("event_type", ON_THE_BUS)
def test_a_fact_is_taken_from_its_teller_on_its_topic_and_from_nobody_else(event_type: str) -> None:
    event = EVENTS[event_type]
    assert read(record(event_type, source=event.teller, topic=event.topic), topic=event.topic).type == event_type
    for source in (*(each for each in topics.SERVICES if each != event.teller), *NOBODYS):
        with pytest.raises(Undeliverable):
            read(record(event_type, source=source, topic=event.topic), topic=event.topic)
    for topic in (*(each for each in BUS if each != event.topic), topics.OUTBOUND, "elsewhere"):
        with pytest.raises(Undeliverable):
            read(record(event_type, source=event.teller, topic=topic), topic=topic)


@pytest.mark.parametrize("topic", BUS)
def test_a_fact_that_is_not_known_here_yet_is_taken_from_who_writes_on_its_topic(topic: str) -> None:
    (entry,) = (each for each in topics.CATALOGUE if each.name == topic)
    for source in entry.writers:
        assert read(record("order.split.v1", source=source, topic=topic), topic=topic).source == source
    for source in (*(each for each in topics.SERVICES if each not in entry.writers), *NOBODYS):
        with pytest.raises(Undeliverable):
            read(record("order.split.v1", source=source, topic=topic), topic=topic)


def service_called(name: str) -> Service:
    service: Service = importlib.import_module(f"{'portal' if name == 'gateway' else name}.app").service
    return service


BY_A_BATCH = ("outbox", "inbox", "seen", "progress")


async def told_to_nobody(service: Running) -> list[dict[str, Any]]:
    return await service.told(topic=topics.dead_letters(service.service.name))


@pytest.mark.parametrize("name", topics.SERVICES)
async def test_every_service_buries_what_others_tell_in_a_tellers_name_and_changes_nothing(
    name: str, parts: Parts, keys_folder: Path, signing_key: Path
) -> None:
    service = service_called(name)
    own: dict[str, Any] = {"signing_key": signing_key} if name == "gateway" else {}
    template = await template_database(parts, service)
    async with running(service, parts, template=template, folder=keys_folder, **own) as heard:
        concerned = {
            each for each in ON_THE_BUS for consumer in heard.worker.inbox.consumers
            if each in consumer.handlers or EVENTS[each].topic in consumer.every
        }  # fmt: skip
        await heard.worker.inbox.apply_all([_by_a_stranger(each) for each in ON_THE_BUS])
        buried = [json.loads(each["body"]) for each in await told_to_nobody(heard)]
        assert {each["headers"]["ce_type"] for each in buried} == concerned != set()
        assert all(each["reason"].startswith("Undeliverable") for each in buried)
        tables = await heard.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = {row["tablename"] for row in tables} - {*BY_A_BATCH, "alembic_version"}
        assert {table: await heard.count(table) for table in names if await heard.count(table)} == {}


def _by_a_stranger(event_type: str) -> ConsumerRecord:
    event = EVENTS[event_type]
    stranger = next(each for each in topics.SERVICES if each != event.teller)
    return record(event_type, source=stranger, topic=event.topic)


async def test_a_user_told_on_the_topic_of_orders_is_nobody(parts: Parts, keys_folder: Path) -> None:
    """Every service may write there, and only two on `directory`."""
    service = service_called("project")
    template = await template_database(parts, service)
    async with running(service, parts, template=template, folder=keys_folder) as project:
        forged = record(UserChanged.type, source="gateway", topic=topics.ORDERS, key=str(new_id()))
        await project.worker.inbox.apply_all([forged])
        assert await project.count("people") == 0
        assert len(await told_to_nobody(project)) == 1


async def test_a_fact_about_another_order_than_its_key_says_has_no_effect_on_either(
    order_service_of_all: Running,
) -> None:
    await ready(order_service_of_all)
    ids = []
    for number in range(2):
        body = ORDER | {"external_id": f"E-{number}"}
        ids.append((await order_service_of_all.post("/orders", SALES, json=body)).json()["order_id"])
    mixed = order_service_of_all.record(delivery_submitted(ids[0]))
    await order_service_of_all.hear_again([ConsumerRecord(*(mixed.topic, 0, 0, 0, 0, ids[1].encode(), *_rest(mixed)))])
    rows = await order_service_of_all.rows("SELECT progress FROM orders")
    assert ["delivery.submitted" in row["progress"]["facts"] for row in rows] == [False, False]
    assert len(await told_to_nobody(order_service_of_all)) == 1
    assert await order_service_of_all.count("parked_keys") == 0


def _rest(record: ConsumerRecord) -> tuple[Any, ...]:
    return (record.value, record.checksum, record.serialized_key_size, record.serialized_value_size, record.headers)


@pytest.mark.parametrize("source", [*topics.OURS, "Order", " gateway", "ORDERLOOM"])
async def test_rule_38_a_request_under_a_name_of_ours_is_kept_places_nothing_and_is_answered_to_nobody(
    order_service_of_all: Running, source: str
) -> None:
    await ready(order_service_of_all)
    await order_service_of_all.post("/orders", SALES, json=ORDER)
    headers = {"ce_specversion": "1.0", "ce_id": "1", "ce_type": "erp.order.requested.v1", "ce_source": source}
    for number, asked in enumerate((ORDER, ORDER | {"external_id": "E-9"})):
        sent = order_service_of_all.raw_record(
            topics.INBOUND, b"k", json.dumps(asked).encode(), headers | {"ce_id": str(number)}
        )
        await order_service_of_all.hear_again([sent])
    assert await order_service_of_all.count("orders") == 1
    assert await order_service_of_all.told(topic=topics.OUTBOUND) == []
    assert len(await told_to_nobody(order_service_of_all)) == 2
