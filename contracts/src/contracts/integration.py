"""Messages between the platform and systems outside it: an ERP asks, and is answered."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from contracts import topics
from contracts.event import Body, Event
from contracts.money import Exact
from contracts.order_body import OrderBody


class ErpOrderRequested(OrderBody):
    """What an ERP sends: the order body is its data. Any source is taken but our five names and `orderloom`."""

    type: ClassVar[str] = "erp.order.requested.v1"
    topic: ClassVar[str] = topics.INBOUND
    teller: ClassVar[str] = topics.ERP


class Answer(Event):
    """Told to the system that asked, under the key of its request.

    The header `ce_causationid` holds the request's id, `ce_recipient` its source.
    """

    topic: ClassVar[str] = topics.OUTBOUND
    teller: ClassVar[str] = "order"


class ErpOrderAccepted(Answer):
    """The order was placed, or an equal body came again. It is not approved yet."""

    type: ClassVar[str] = "erp.order.accepted.v1"

    external_id: str
    order_id: UUID
    order_no: str


class BodyError(Body):
    """`field` is a JSON Pointer (RFC 6901) into the order, empty for the whole."""

    field: str
    reason: str


class ErpOrderRejected(Answer):
    """Nothing was placed, for these reasons, and the external id is not taken."""

    type: ClassVar[str] = "erp.order.rejected.v1"

    external_id: str | None = None
    errors: tuple[BodyError, ...]


class Amounts(Body):
    """What an invoice or a receipt is about."""

    currency: str
    net: Exact
    tax: Exact
    total: Exact


class ErpOrderProgressed(Answer):
    """Something happened to an order that the system asked for."""

    type: ClassVar[str] = "erp.order.progressed.v1"

    external_id: str
    order_id: UUID
    order_no: str
    event_type: str
    """What happened, by the name that the platform has for it."""
    event_id: UUID
    """The same one never counts twice."""
    status: str
    """Of the order since then: approved, rejected, on_hold, cancelled, delivered, closed."""
    stage: str
    """In which the order stands since then."""
    happened_at: datetime
    amounts: Amounts | None = None
    """Of the invoice or the receipt."""
