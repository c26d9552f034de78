"""Orders and their lines, with the rules that they keep and the refusals that they raise."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy import Sequence as NumberSequence
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from chassis.errors import Conflict, Forbidden, NotFound
from chassis.ids import new_id
from chassis.principal import Principal
from chassis.roots import Root
from chassis.search import searched, trigrams
from contracts.directory import OrderTypePublished, Stage
from contracts.money import Money
from contracts.order import ApprovalStep, ClientRef, Term
from contracts.order_body import LineBody, OrderBody
from order import thread
from order.models.model import Model
from order.pricing import price
from order.workflow import DELIVERY_SUBMITTED, ORDER_APPROVED, Advance, Progress


class OrderNotFound(NotFound): ...


class OrderNotEditable(Conflict): ...


class OrderNotSubmitted(Conflict): ...


class StepAlreadyDecided(Conflict): ...


class RequesterMayNotApprove(Forbidden): ...


class RoleMissing(Forbidden): ...


class OrderNotApproved(Conflict): ...


class OrderNotHeld(Conflict): ...


class OrderNotCancellable(Conflict): ...


class DeliveryNotSubmitted(Conflict): ...


class OrderStatus(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    ON_HOLD = "on_hold"
    CANCELLED = "cancelled"
    DELIVERED = "delivered"
    CLOSED = "closed"


EDITABLE = (OrderStatus.DRAFT, OrderStatus.REJECTED)
CANCELLABLE = (OrderStatus.SUBMITTED, OrderStatus.APPROVED, OrderStatus.ON_HOLD)
NUMBERS_BLOCK = 50

order_numbers = NumberSequence("order_numbers", metadata=Model.metadata, increment=NUMBERS_BLOCK)


class Order(Root, Model):
    """What a client wants, at a price. The row is the root: whoever holds its lock may tell facts about the order."""

    __tablename__ = "orders"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_no: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int]
    revision: Mapped[int]
    """Counts the placings."""
    status: Mapped[str]
    source: Mapped[str]
    external_id: Mapped[str | None]
    external_sha256: Mapped[str]
    """Of the body as it first came under its external id: an equal one changes nothing."""
    client_id: Mapped[UUID] = mapped_column(index=True)
    client_code: Mapped[str]
    client_name: Mapped[str]
    client_tax_id: Mapped[str | None]
    order_type: Mapped[str]
    type_version: Mapped[int]
    title: Mapped[str]
    requested_date: Mapped[dt.date | None]
    priority: Mapped[int]
    currency: Mapped[str]
    net_amount: Mapped[Decimal]
    tax_amount: Mapped[Decimal]
    fields: Mapped[dict[str, Any]]
    terms: Mapped[list[Any]]
    milestone_codes: Mapped[list[Any]]
    requester: Mapped[str]
    placed_at: Mapped[dt.datetime]
    approval_steps: Mapped[list[Any]]
    step: Mapped[int]
    """The one that is decided next, from 1; above the last when all are."""
    approvers: Mapped[list[Any]]
    approved_on: Mapped[dt.date | None]
    stage: Mapped[str]
    progress: Mapped[dict[str, Any]]
    has_invoice: Mapped[bool]
    accepted_on: Mapped[dt.date | None]
    accepted_by: Mapped[str | None]
    settled_on: Mapped[dt.date | None]
    closed_on: Mapped[dt.date | None]
    request_id: Mapped[str | None]
    """Of the message on the bus that it came by; `request_key` is that message's key."""
    request_key: Mapped[str | None]
    thread_length: Mapped[int]
    thread_head: Mapped[str]

    lines: Mapped[list["OrderLine"]] = relationship(lazy="raise", order_by="OrderLine.position", viewonly=True)

    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("orders_status_order_id_ix", "status", "order_id"),
        Index("orders_client_code_order_id_ix", "client_code", "order_id"),
    )

    @classmethod
    def draft(
        cls,
        *,
        order_no: str,
        body: OrderBody,
        sha256: str,
        source: str,
        client_id: UUID,
        order_type: OrderTypePublished,
        requester: str,
        now: dt.datetime,
    ) -> "Order":
        """An order that nobody else knows of yet."""
        order_id = new_id()
        order = cls(
            order_id=order_id,
            order_no=order_no,
            version=1,
            revision=0,
            status=OrderStatus.DRAFT,
            source=source,
            external_id=body.external_id or None,
            external_sha256=sha256,
            requester=requester,
            approval_steps=[],
            step=1,
            approvers=[],
            approved_on=None,
            stage=order_type.stages[0].code,
            progress=Progress().document,
            has_invoice=False,
            accepted_on=None,
            accepted_by=None,
            settled_on=None,
            closed_on=None,
            request_id=None,
            request_key=None,
            thread_length=0,
            thread_head=thread.first_previous(order_id),
            placed_at=now,
        )
        order.write(body, client_id=client_id, order_type=order_type)
        return order

    def write(self, body: OrderBody, *, client_id: UUID, order_type: OrderTypePublished) -> None:
        """Take what is wanted from `body`, priced, with the terms of the type where it names none.

        Raises `OrderNotEditable` for an order that was placed and not rejected (rule 22).
        """
        if self.status not in EDITABLE:
            raise OrderNotEditable(f"Order {self.order_no} is {self.status}: only a draft or rejected one is edited.")
        self.client_id, self.client_code = client_id, body.client.code
        self.client_name, self.client_tax_id = body.client.name, body.client.tax_id
        self.order_type, self.type_version = order_type.code, order_type.version
        self.milestone_codes = [milestone.code for milestone in order_type.milestones]
        self.stage = order_type.stages[0].code
        self.title, self.requested_date, self.priority = body.title, body.requested_date, body.priority
        self.currency, self.fields = body.currency, body.fields
        terms = [Term(**term.model_dump()) for term in body.terms] or order_type.terms
        self.terms = [term.model_dump(mode="json") for term in terms]
        lines = [
            OrderLine.of(line, order_id=self.order_id, position=position, currency=body.currency)
            for position, line in enumerate(body.lines, start=1)
        ]
        self.net_amount = Money.total((line.net_money for line in lines), self.currency).amount
        self.tax_amount = Money.total((line.tax_money for line in lines), self.currency).amount
        set_committed_value(self, "lines", lines)  # the caller adds them, and deletes those before

    def must_be_open_to(self, principal: Principal) -> None:
        """A system knows the orders that it sent itself, people know all. Raises `OrderNotFound`."""
        if principal.kind == "integration" and principal.user_id != self.source:
            raise OrderNotFound(f"There is no order {self.order_id}.")

    def place(self, *, by: str, steps: Sequence[ApprovalStep], now: dt.datetime) -> None:
        """Submit it for approval by `steps`; whoever submits it is its requester from now on, and may not approve it.

        Raises `OrderNotEditable` unless it is a draft or rejected.
        """
        if self.status not in EDITABLE:
            raise OrderNotEditable(f"Order {self.order_no} is {self.status}: it is placed already.")
        self.status, self.placed_at, self.requester = OrderStatus.SUBMITTED, now, by
        self.revision += 1
        self.step, self.approvers = 1, []
        self.approval_steps = [step.model_dump() for step in steps]

    def decide(self, *, by: str, roles: frozenset[str], step: int | None) -> ApprovalStep:
        """The step that `by` may decide now. With `step`, the caller says which one they have seen.

        Raises `OrderNotSubmitted`, `StepAlreadyDecided`, `RequesterMayNotApprove`, `RoleMissing`.
        """
        if self.status != OrderStatus.SUBMITTED:
            raise OrderNotSubmitted(f"Order {self.order_no} is {self.status}: only a submitted one can be decided.")
        if step is not None and step != self.step:
            raise StepAlreadyDecided(f"Step {step} of order {self.order_no} is decided already: read the order again.")
        current = ApprovalStep.model_validate(self.approval_steps[self.step - 1])
        if by == self.requester:
            raise RequesterMayNotApprove(f"Ask someone other than the requester to decide order {self.order_no}.")
        if current.role not in roles:
            raise RoleMissing(f"Step {current.step} of order {self.order_no} is decided by a {current.role}.")
        return current

    def approve_step(self, *, by: str, today: dt.date) -> bool:
        """One step further; whether it was the last one, which approves the order."""
        self.step += 1
        self.approvers = [*self.approvers, by]
        if self.step <= len(self.approval_steps):
            return False
        self.status, self.approved_on = OrderStatus.APPROVED, today
        return True

    def reject(self) -> None:
        self.status = OrderStatus.REJECTED

    def hold(self) -> None:
        """Raises `OrderNotApproved`."""
        if self.status != OrderStatus.APPROVED:
            raise OrderNotApproved(f"Order {self.order_no} is {self.status}: only an approved one can be held.")
        self.status = OrderStatus.ON_HOLD

    def resume(self) -> None:
        """Raises `OrderNotHeld`."""
        if self.status != OrderStatus.ON_HOLD:
            raise OrderNotHeld(f"Order {self.order_no} is {self.status}: only a held one can be resumed.")
        self.status = OrderStatus.APPROVED

    def cancel(self) -> None:
        """Raises `OrderNotCancellable` once it is delivered, or when an invoice is known."""
        if self.status not in CANCELLABLE:
            raise OrderNotCancellable(f"Order {self.order_no} is {self.status}: it can no longer be cancelled.")
        if self.has_invoice:
            raise OrderNotCancellable(f"Order {self.order_no} has an invoice: it has to be credited first.")
        self.status = OrderStatus.CANCELLED

    def accept(self, *, client_id: UUID | None, by: str, today: dt.date) -> None:
        """The client signs off. Raises `OrderNotApproved`, `DeliveryNotSubmitted`.

        Raises `OrderNotFound` for any other client, who is never told that another company's order exists.
        """
        if client_id != self.client_id:
            raise OrderNotFound(f"There is no order {self.order_id}.")
        if self.status != OrderStatus.APPROVED:
            raise OrderNotApproved(f"Order {self.order_no} is {self.status}: its delivery cannot be signed off now.")
        if DELIVERY_SUBMITTED not in self.progress["facts"]:
            raise DeliveryNotSubmitted(f"Nothing of order {self.order_no} was handed over yet: sign off when it is.")
        self.status, self.accepted_on, self.accepted_by = OrderStatus.DELIVERED, today, by

    def close_if_done(self, *, today: dt.date) -> bool:
        """Close it once it is accepted and settled; whether that happened now. A cancelled order never closes."""
        if self.status != OrderStatus.DELIVERED or self.settled_on is None:
            return False
        self.status, self.closed_on = OrderStatus.CLOSED, today
        return True

    def learn(self, fact: str, event_id: str) -> None:
        """Know from now on that `fact` is true."""
        progress = Progress.of(self.progress)
        progress.learn(fact, event_id)
        self.progress = progress.document

    def advance(self, stages: Sequence[Stage]) -> list[Advance]:
        """The steps that the stage flow takes by itself, now taken. A cancelled order takes none."""
        if self.status == OrderStatus.CANCELLED or ORDER_APPROVED not in self.progress["facts"]:
            return []
        steps = Progress.of(self.progress).advance(stages, self.stage)
        if steps:
            self.stage = steps[-1].to_stage
        return steps

    def missing_facts(self, stages: Sequence[Stage]) -> tuple[str, ...]:
        """The facts that the present stage still waits for."""
        stage = next(stage for stage in stages if stage.code == self.stage)
        return Progress.of(self.progress).missing(stage)

    @property
    def came_by_bus(self) -> bool:
        return self.request_id is not None

    @property
    def client(self) -> ClientRef:
        return ClientRef(id=self.client_id, code=self.client_code, name=self.client_name, tax_id=self.client_tax_id)

    @property
    def net(self) -> Money:
        return Money(amount=self.net_amount, currency=self.currency)

    @property
    def tax(self) -> Money:
        return Money(amount=self.tax_amount, currency=self.currency)

    @property
    def total(self) -> Money:
        return self.net + self.tax

    @property
    def total_amount(self) -> Decimal:
        return self.total.amount


class OrderLine(Model):
    __tablename__ = "order_lines"

    order_id: Mapped[UUID] = mapped_column(ForeignKey(Order.order_id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item: Mapped[str]
    description: Mapped[str]
    quantity: Mapped[Decimal]
    unit: Mapped[str]
    unit_price: Mapped[Decimal]
    discount: Mapped[Decimal]
    tax_rate: Mapped[Decimal]
    billing_method: Mapped[str]
    currency: Mapped[str]
    net: Mapped[Decimal]
    tax: Mapped[Decimal]

    @classmethod
    def of(cls, body: LineBody, *, order_id: UUID, position: int, currency: str) -> "OrderLine":
        """Priced."""
        net, tax = price(
            quantity=body.quantity,
            unit_price=body.unit_price,
            discount=body.discount,
            tax_rate=body.tax_rate,
            currency=currency,
        )
        return cls(
            order_id=order_id, position=position, currency=currency, net=net.amount, tax=tax.amount, **dict(body)
        )

    @property
    def net_money(self) -> Money:
        return Money(amount=self.net, currency=self.currency)

    @property
    def tax_money(self) -> Money:
        return Money(amount=self.tax, currency=self.currency)


SEARCHED = searched(Order.order_no, Order.external_id, Order.title)
Index("orders_search_ix", trigrams(SEARCHED), postgresql_using="gin")
