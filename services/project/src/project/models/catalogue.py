"""Order types, as the order service told them, and the templates that projects are made from."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from chassis.errors import Invalid
from contracts.directory import OrderTypePublished
from project.models.model import Model
from project.template import TemplateBody


class TemplateWrong(Invalid): ...


class OrderType(Model):
    """One version of a type: it says which stages and milestones a template may use."""

    __tablename__ = "order_types"

    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]

    @classmethod
    def of(cls, published: OrderTypePublished) -> "OrderType":
        return cls(code=published.code, version=published.version, document=published.model_dump(mode="json"))

    @property
    def published(self) -> OrderTypePublished:
        return OrderTypePublished.model_validate(self.document)


class Template(Model):
    """One version of an order type's template, never changed. Projects keep the version they were made from."""

    __tablename__ = "templates"

    code: Mapped[str] = mapped_column(primary_key=True)
    """The order type's."""
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]

    @classmethod
    def publish(cls, body: TemplateBody, *, order_type: OrderTypePublished, version: int, now: datetime) -> "Template":
        """Raises `TemplateWrong` with every contradiction in it (rule 28: a cycle with its path)."""
        if errors := body.contradictions(order_type):
            raise TemplateWrong(f"The template of {order_type.code} contradicts itself: see the errors.", errors=errors)
        return cls(code=order_type.code, version=version, document=body.model_dump(mode="json"), published_at=now)

    @property
    def body(self) -> TemplateBody:
        return TemplateBody.model_validate(self.document)
