"""Services on a broker with TLS, SCRAM and access lists: they work, and nobody may write what is another's to tell."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from sqlalchemy import text

from apache import needs_apache_kafka
from chassis import outbox
from chassis.ids import new_id
from chassis.kafka import KafkaSettings
from contracts import topics
from contracts.acls import OPERATORS
from contracts.directory import ClientRegistered
from orderloom.parts import Parts
from orderloom.topics import create_topics
from probe import Probe, eventually, running_probe
from secured_kafka import SYSTEMS, SecuredKafka, running_secured_kafka

pytestmark = [pytest.mark.xdist_group("secured"), needs_apache_kafka]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with running_secured_kafka(tmp_path_factory.mktemp("secured")) as kafka:
        settings = KafkaSettings(**kafka.settings(OPERATORS))
        assert len(asyncio.run(create_topics(settings, partitions=3))) == len(topics.CATALOGUE)
        yield kafka


@pytest.fixture
async def probe(parts: Parts, kafka: SecuredKafka) -> AsyncIterator[Probe]:
    async with running_probe(parts, **kafka.settings("order")) as probe:
        yield probe


async def test_a_service_tells_and_hears_over_tls_after_signing_in(probe: Probe) -> None:
    order_id = new_id()
    await probe.start()
    await probe.hold(order_id)
    async with probe.database.transaction(outbox.Cause(id="x", actor="system:test")) as session:
        outbox.record_in_directory(session, ClientRegistered(client_id=new_id(), code="C-1", name="N"))
    await eventually(lambda: probe.has_applied(order_id))

    async def is_published() -> bool:
        async with probe.database.transaction() as session:
            return not await session.scalar(text("SELECT count(*) FROM outbox WHERE published_at IS NULL"))

    await eventually(is_published)


@pytest.mark.parametrize(
    "changed",
    [
        {"kafka_sasl_password": "wrong"},
        {"kafka_sasl_username": "nobody"},
        {"kafka_security_protocol": "PLAINTEXT"},
        {"kafka_ca_file": None},
    ],
    ids=["wrong password", "unknown user", "in the clear", "a certificate of nobody we trust"],
)
async def test_who_does_not_sign_in_as_they_should_is_not_served(kafka: SecuredKafka, changed: dict[str, str]) -> None:
    settings = KafkaSettings(**kafka.settings("order", **changed))
    producer = AIOKafkaProducer(**settings.client_options, request_timeout_ms=3000)
    try:
        with pytest.raises((KafkaError, TimeoutError)):
            await asyncio.wait_for(producer.start(), 5)
    finally:
        await producer.stop()


async def test_everyone_may_write_what_the_catalogue_lets_them_write_and_nothing_else(kafka: SecuredKafka) -> None:
    allowed = {
        (writer, topic.name)
        for topic in topics.CATALOGUE
        for writer in (SYSTEMS if topics.ERP in topic.writers else topic.writers)
    }
    written = set()
    for user in (*topics.SERVICES, *SYSTEMS):
        async with AIOKafkaProducer(**KafkaSettings(**kafka.settings(user)).client_options) as producer:
            for topic in topics.CATALOGUE:
                try:
                    await producer.send_and_wait(topic.name, b"{}", key=b"k")
                except TopicAuthorizationFailedError:
                    continue
                written.add((user, topic.name))
    assert written == allowed


async def test_a_system_outside_reads_its_answers_and_not_the_orders(kafka: SecuredKafka) -> None:
    north = KafkaSettings(**kafka.settings("erp-north")).client_options
    async with AIOKafkaConsumer(topics.OUTBOUND, group_id="erp-north.answers", **north) as consumer:
        await consumer.getmany(timeout_ms=1000)
        assert consumer.assignment()
    consumer = AIOKafkaConsumer(topics.ORDERS, auto_offset_reset="earliest", **north)
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            await consumer.start()
    finally:
        await consumer.stop()


async def test_a_system_outside_may_not_join_the_group_of_a_service(kafka: SecuredKafka) -> None:
    """It would take partitions, and the service would never hear of what came on them."""
    north = KafkaSettings(**kafka.settings("erp-north")).client_options
    consumer = AIOKafkaConsumer(topics.OUTBOUND, group_id="order", **north)
    try:
        with pytest.raises(GroupAuthorizationFailedError):
            await consumer.start()
    finally:
        await consumer.stop()
