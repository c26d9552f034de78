"""HTTP bodies."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.directory import MilestoneType, Stage
from contracts.event import Labels
from contracts.money import Exact
from contracts.order import ApprovalStep, ClientRef, Term
from contracts.order_body import Incoming
from contracts.strict import Code, Currency, Number, Prose, Text


class CommentIn(Incoming):
    comment: Prose | None = None
    step: int | None = None
    """The step that the caller has seen, so that a second click never decides the next one."""


class RejectionIn(Incoming):
    reason: Prose
    step: int | None = None


class ReasonIn(Incoming):
    reason: Prose


class OptionalReasonIn(Incoming):
    reason: Prose | None = None


class AcceptanceIn(Incoming):
    note: Prose | None = None


class RebuildIn(Incoming):
    service: Literal["order", "project", "finance", "notify", "gateway"]
    order_id: Annotated[UUID, Field(strict=False)] | None = None
    force: bool = False
    """Even where the archive has fewer facts than the read model says it is made of."""


class OrderTypeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    labels: Labels
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=50)]
    milestones: tuple[MilestoneType, ...]
    terms: Annotated[tuple[Term, ...], Field(min_length=1, max_length=60)]
    fields_schema: dict[str, Any]
    client_visible_fields: tuple[str, ...] = ()


class RungIn(Incoming):
    role: Code
    above: Number


def _each_once(given: list[Any], names: list[str]) -> list[Any]:
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"name each once: {', '.join(sorted(repeated))}")
    return given


class LadderIn(Incoming):
    rungs: Annotated[
        list[RungIn],
        Field(min_length=1, max_length=20),
        AfterValidator(lambda rungs: _each_once(rungs, [rung.role for rung in rungs])),
    ]


class RateIn(Incoming):
    currency: Currency
    rate: Annotated[Number, Field(gt=0)]


class RatesIn(Incoming):
    rates: Annotated[
        list[RateIn],
        Field(max_length=200),
        AfterValidator(lambda rates: _each_once(rates, [rate.currency for rate in rates])),
    ]


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class LineOut(Out):
    position: int
    item: str
    description: str
    quantity: Exact
    unit: str
    unit_price: Exact
    discount: Exact
    tax_rate: Exact
    billing_method: str
    net: Exact
    tax: Exact


class OrderSummaryOut(Out):
    order_id: UUID
    order_no: str
    version: int
    revision: int
    status: str
    source: str
    external_id: str | None
    client: ClientRef
    order_type: str
    type_version: int
    title: str
    requested_date: dt.date | None
    priority: int
    currency: str
    net: Annotated[Exact, Field(validation_alias="net_amount")]
    tax: Annotated[Exact, Field(validation_alias="tax_amount")]
    total: Annotated[Exact, Field(validation_alias="total_amount")]
    placed_at: dt.datetime
    stage: str
    approved_on: dt.date | None
    accepted_on: dt.date | None
    closed_on: dt.date | None
    requester: str
    approval_steps: list[ApprovalStep]
    step: int
    """The one that is decided next; above the last when all are."""


class OrderOut(OrderSummaryOut):
    fields: dict[str, Any]
    terms: list[Term]
    milestone_codes: list[str]
    approvers: list[str]
    lines: list[LineOut]
    waiting_for: list[str] = []
    """The facts that the present stage still waits for."""


class PreviewOut(Out):
    currency: str
    net: Exact
    tax: Exact
    total: Exact
    lines: list[LineOut]
    terms: list[Term]
    approval_steps: list[ApprovalStep]


class DecisionOut(Out):
    revision: int
    step: int
    role: str
    decision: str
    by: str
    comment: str | None
    decided_at: dt.datetime


class ThreadEntryOut(Out):
    position: int
    event_id: UUID
    type: str
    source: str
    time: str
    actor: str
    causation_id: str
    body_sha256: str
    hash: str
    body: str


class VerificationOut(Out):
    order_id: UUID
    order_no: str
    verified: bool
    length: int
    head: str
    first_broken: int | None


class BrokenThreadOut(BaseModel):
    order_id: UUID
    first_broken: int


class TracedOut(BaseModel):
    """A fact, and what caused it."""

    position: int
    event_id: UUID
    type: str
    teller: str
    actor: str
    time: str
    cause_id: str
    """Of a fact before it, or of a request, a message or a timer."""
    cause_position: int | None
    """On this thread; None when the cause is no fact of it."""
    ms_since_cause: int | None


class RebuildOut(Out):
    rebuild_id: UUID
    service: str
    order_id: UUID | None
    is_forced: bool
    requested_by: str
    requested_at: dt.datetime
    orders_total: int
    orders_told: int
    facts_told: int
    broken: list[BrokenThreadOut]
    finished_at: dt.datetime | None


class RequestErrorOut(Out):
    field: str
    """A JSON Pointer into the order, empty for the whole."""
    reason: str


class RejectedRequestOut(Out):
    source: str
    request_id: str
    external_id: str | None
    """What its sender calls the order, as far as that could be told."""
    answered_at: dt.datetime
    errors: list[RequestErrorOut] | None
    """The first of them; null for a request that was rejected before they were kept."""
    errors_total: int | None


class ClientOut(Out):
    client_id: UUID
    code: Text
    name: str
    tax_id: str | None


class FieldErrorOut(Out):
    field: str
    reason: str


class ImportedLineOut(Out):
    line: int
    outcome: str
    """accepted, unchanged (an equal body came before) or rejected."""
    external_id: str | None
    order_id: UUID | None = None
    order_no: str | None = None
    errors: list[FieldErrorOut] = []


class ImportOut(Out):
    results: list[ImportedLineOut]
