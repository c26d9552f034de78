"""What others tell of client companies and order types: each time the whole state."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.directory import ClientRegistered, OrderTypePublished
from portal import queries
from portal.models import Client, OrderType


async def know_client(session: AsyncSession, registered: ClientRegistered) -> None:
    """From now on, people can be bound to the company."""
    client = {"client_id": registered.client_id, "code": registered.code, "name": registered.name}
    known = insert(Client).values(client)
    await session.execute(known.on_conflict_do_update(index_elements=[Client.client_id], set_=client))


async def know_order_type(session: AsyncSession, published: OrderTypePublished) -> None:
    """From now on, pages name the stages and fields of orders of this version, which never changes."""
    document = published.model_dump(mode="json", include={"labels", "stages", "client_visible_fields", "fields_schema"})
    known = insert(OrderType).values(code=published.code, version=published.version, **document)
    again = known.on_conflict_do_update(index_elements=[OrderType.code, OrderType.version], set_=document)
    await session.execute(again)
    queries.ORDER_TYPES.drop(session)
