"""Order types: which fields an order has, through which stages it goes, which milestones and terms it knows."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012
from sqlalchemy.orm import Mapped, mapped_column

from chassis.errors import FieldError, Invalid, NotFound
from contracts.directory import OrderTypePublished, Stage
from contracts.order import Term
from order import workflow
from order.models.model import Model


class OrderTypeNotFound(NotFound): ...


class OrderTypeWrong(Invalid): ...


class OrderType(Model):
    """One version of a type, never changed. Orders keep the version they were born with; new ones get the newest."""

    __tablename__ = "order_types"

    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]

    @classmethod
    def publish(cls, published: OrderTypePublished, *, now: datetime) -> "OrderType":
        """Raises `OrderTypeWrong` with every contradiction in it."""
        if errors := list(_contradictions(published)):
            raise OrderTypeWrong(f"Order type {published.code} contradicts itself: see the errors.", errors=errors)
        document = published.model_dump(mode="json")
        return cls(code=published.code, version=published.version, document=document, published_at=now)

    @property
    def published(self) -> OrderTypePublished:
        """As it was told to everyone."""
        return OrderTypePublished.model_validate(self.document)


def _contradictions(published: OrderTypePublished) -> Iterable[FieldError]:
    if not published.stages:
        yield FieldError("/stages", "name at least one stage")
    yield from _repeated("stages", [stage.code for stage in published.stages])
    yield from _repeated("milestones", [milestone.code for milestone in published.milestones])
    for number, stage in enumerate(published.stages):
        yield from _unknown_exits(number, stage)
    yield from _wrong_terms(published.terms, {milestone.code for milestone in published.milestones})
    try:
        Draft202012Validator.check_schema(published.fields_schema)
    except SchemaError as wrong:
        yield FieldError("/fields_schema", wrong.message)
    else:
        yield from _references_elsewhere(published.fields_schema)


def _references_elsewhere(schema: dict[str, Any]) -> Iterable[FieldError]:
    """Nothing is fetched to check an order, and nothing is missing when one comes."""
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    for reference in _references(schema):
        try:
            resolver.lookup(reference if reference.startswith("#") else "#/elsewhere")
        except Unresolvable:
            yield FieldError("/fields_schema", f"refer to a part of the schema itself, like #/$defs/x: {reference}")


def _references(part: Any) -> Iterable[str]:
    for name, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        if name in ("$ref", "$dynamicRef") and isinstance(value, str):
            yield value
        yield from _references(value)


def _repeated(list_name: str, codes: list[str]) -> Iterable[FieldError]:
    for number, code in enumerate(codes):
        if code in codes[:number]:
            yield FieldError(f"/{list_name}/{number}/code", "another one has this code already")


def _unknown_exits(number: int, stage: Stage) -> Iterable[FieldError]:
    for position, fact in enumerate(stage.exits):
        if fact not in workflow.FACTS:
            yield FieldError(
                f"/stages/{number}/exits/{position}", f"no fact has this name: {', '.join(workflow.FACTS)}"
            )


def _wrong_terms(terms: tuple[Term, ...], milestones: set[str]) -> Iterable[FieldError]:
    if sum(term.percent for term in terms) != 100:
        yield FieldError("/terms", "make the percents add up to exactly 100")
    for number, term in enumerate(terms):
        if term.milestone is not None and term.milestone not in milestones:
            yield FieldError(f"/terms/{number}/milestone", "the type has no such milestone")
