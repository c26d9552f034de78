"""Clients and order types."""

from typing import Annotated, Any
from uuid import UUID

from chassis.http import Filter, Now, PageCut, Session, Staff, holding, router
from chassis.paging import Page
from chassis.principal import Principal
from contracts.directory import OrderTypePublished
from contracts.order_body import ClientBody
from contracts.roles import ADMINISTRATOR, SALES, SALES_MANAGER
from order import operations, queries
from order.models import Client
from order.schemas import ClientOut, OrderTypeIn

catalogue = router(tags=["catalogue"])

Administrator = Annotated[Principal, holding(ADMINISTRATOR)]
Seller = Annotated[Principal, holding(SALES, SALES_MANAGER, ADMINISTRATOR)]


@catalogue.get("/clients", response_model=Page[ClientOut])
async def list_clients(session: Session, principal: Staff, cut: PageCut, search: Filter = None) -> Any:
    return cut.page(await queries.list_clients(session, cut, search=search), lambda client: [client.code])


@catalogue.post("/clients", status_code=201, response_model=ClientOut)
async def register_client(body: ClientBody, session: Session, principal: Seller) -> Client:
    return await operations.register_client(session, wanted=body)


@catalogue.get("/clients/{client_id}", response_model=ClientOut)
async def get_client(client_id: UUID, session: Session, principal: Staff) -> Client:
    return await queries.get_client(session, client_id)


@catalogue.get("/order-types")
async def list_order_types(session: Session, principal: Staff) -> list[OrderTypePublished]:
    """The newest version of each."""
    return list((await queries.read_newest_order_types(session)).values())


@catalogue.put("/order-types/{code}")
async def publish_order_type(
    code: str, body: OrderTypeIn, session: Session, principal: Administrator, now: Now
) -> OrderTypePublished:
    """A new version, or the present one if nothing in it is new. Orders keep the version they were born with."""
    published = OrderTypePublished(code=code, version=0, **dict(body))
    return (await operations.publish_order_type(session, published, now=now)).published
