"""Clients and order types: what orders refer to."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox
from chassis.errors import Conflict
from chassis.ids import new_id
from contracts.directory import ClientRegistered, OrderTypePublished
from contracts.order_body import ClientBody
from order import queries
from order.models import Client, OrderType


class ClientCodeUsed(Conflict):
    """Another client has the code."""


async def client_for(session: AsyncSession, wanted: ClientBody) -> Client:
    """The client of that code, registered now if it is new. A different name changes nothing about it."""
    return await queries.client_of_code(session, wanted.code) or await _register(session, wanted)


async def register_client(session: AsyncSession, *, wanted: ClientBody) -> Client:
    """Raises `ClientCodeUsed`."""
    if await queries.client_of_code(session, wanted.code) is not None:
        raise ClientCodeUsed(f"A client with the code {wanted.code} is registered already.")
    return await _register(session, wanted)


async def publish_order_type(session: AsyncSession, published: OrderTypePublished, *, now: datetime) -> OrderType:
    """The next version of a type; the present one, when nothing in it is new. Raises `OrderTypeWrong`."""
    newest = (await queries.read_newest_order_types(session)).get(published.code)
    version = newest.version if newest else 0
    if newest and newest == published.model_copy(update={"version": version}):
        return await queries.order_type_row(session, published.code, version)
    order_type = OrderType.publish(published.model_copy(update={"version": version + 1}), now=now)
    session.add(order_type)
    outbox.record_in_directory(session, order_type.published)
    queries.NEWEST_ORDER_TYPES.drop(session)
    return order_type


async def _register(session: AsyncSession, wanted: ClientBody) -> Client:
    client = Client(client_id=new_id(), code=wanted.code, name=wanted.name, tax_id=wanted.tax_id)
    session.add(client)
    registered = ClientRegistered(client_id=client.client_id, code=client.code, name=client.name, tax_id=client.tax_id)
    outbox.record_in_directory(session, registered)
    return client
