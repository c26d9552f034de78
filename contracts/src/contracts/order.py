"""Facts told by the order service about one order."""

import datetime as dt
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.event import Actor, Body, OrderEvent
from contracts.money import Exact

Due = Literal["on_approval", "on_date", "on_milestone", "on_acceptance", "after_acceptance"]
BillingMethod = Literal["fixed", "milestone", "time_and_materials", "progress"]


class ClientRef(Body):
    """The client as this order names it: the name may differ from the one registered."""

    id: UUID
    code: str
    name: str
    tax_id: str | None = None


class External(Body):
    """What the order is called by the system that it came from."""

    source: str
    """The `ce_source` of its request, or the system of its API key."""
    id: str
    """Unique among those of its source."""


class Line(Body):
    """Discount and tax rate are fractions: 0.13 is 13 %. Net and tax are rounded, once each."""

    item: str
    description: str = ""
    quantity: Exact
    unit: str
    unit_price: Exact
    discount: Exact
    tax_rate: Exact
    billing_method: BillingMethod
    net: Exact
    tax: Exact


class Term(Body):
    """A share of the price and what makes it due; `date`, `milestone` or `days` where `due` names it."""

    code: str
    percent: Exact
    due: Due
    date: dt.date | None = None
    milestone: str | None = None
    days: int | None = None


class ApprovalStep(Body):
    """One of the decisions needed, counted from 1; any one holder of the role takes it."""

    step: int
    role: str


class OrderDocument(OrderEvent):
    """The whole order as it was placed, so that no consumer has to ask for more."""

    teller: ClassVar[str] = "order"

    order_no: str
    """Unique and rising, perhaps with gaps."""
    revision: int
    """From 1; each amendment counts it up."""
    external: External | None = None
    client: ClientRef
    order_type: str
    type_version: int
    """The order keeps it, whatever is published later."""
    title: str
    requested_date: dt.date | None = None
    """When the client would like to have it."""
    priority: int
    """1 to 5."""
    currency: str
    """ISO 4217, of every amount here."""
    lines: tuple[Line, ...]
    net: Exact
    tax: Exact
    total: Exact
    """Net and tax."""
    fields: dict[str, Any]
    """What the order's type asks for beside all this."""
    terms: tuple[Term, ...]
    """Their percents add up to 100."""
    milestone_codes: tuple[str, ...]
    """All that the order's type has, in order."""
    approval_steps: tuple[ApprovalStep, ...]
    requester: Actor
    """Approves no step of its own order."""
    stage: str


class OrderPlaced(OrderDocument):
    """An order was submitted and its totals are computed: it waits for its first approval."""

    type: ClassVar[str] = "order.placed.v1"


class ApprovalDecided(OrderEvent):
    """One holder of a step's role decided it. `next_role` is who is asked now, if anyone."""

    type: ClassVar[str] = "approval.decided.v1"
    teller: ClassVar[str] = "order"

    step: int
    role: str
    decision: Literal["approved", "rejected"]
    by: Actor
    comment: str | None = None
    next_role: str | None = None


class OrderApproved(OrderDocument):
    """The last step was approved: work may begin, and what is due on approval may be invoiced."""

    type: ClassVar[str] = "order.approved.v1"

    approved_on: dt.date
    """In the company's zone. Everything counted from the approval uses this date."""
    approvers: tuple[Actor, ...]
    """One for each step, in order."""


class OrderRejected(OrderEvent):
    """A step was refused. The order can be edited and placed again."""

    type: ClassVar[str] = "order.rejected.v1"
    teller: ClassVar[str] = "order"

    step: int
    by: Actor
    reason: str


class StageAdvanced(OrderEvent):
    """Everything that the stage before waited for is true."""

    type: ClassVar[str] = "order.stage_advanced.v1"
    teller: ClassVar[str] = "order"

    from_stage: str = Field(alias="from")
    to_stage: str = Field(alias="to")
    because: tuple[UUID, ...]
    """The events that made the last missing facts true."""
    waiting_for: tuple[str, ...]
    """What the new stage waits for."""


class OrderHeld(OrderEvent):
    """Work and invoicing stop until the order is resumed."""

    type: ClassVar[str] = "order.held.v1"
    teller: ClassVar[str] = "order"

    reason: str
    by: Actor


class OrderResumed(OrderEvent):
    """Work and invoicing go on."""

    type: ClassVar[str] = "order.resumed.v1"
    teller: ClassVar[str] = "order"

    reason: str | None = None
    by: Actor


class OrderCancelled(OrderEvent):
    """The order ends here: open tasks and instalments that were not invoiced are cancelled."""

    type: ClassVar[str] = "order.cancelled.v1"
    teller: ClassVar[str] = "order"

    reason: str
    by: Actor


class DeliveryAccepted(OrderEvent):
    """The client signed off what was delivered."""

    type: ClassVar[str] = "delivery.accepted.v1"
    teller: ClassVar[str] = "order"

    accepted_on: dt.date
    """In the company's zone. Everything counted from the acceptance uses this date."""
    accepted_by: Actor
    note: str | None = None


class OrderClosed(OrderEvent):
    """Delivered, accepted and paid."""

    type: ClassVar[str] = "order.closed.v1"
    teller: ClassVar[str] = "order"

    closed_on: dt.date
