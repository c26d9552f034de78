"""What others tell of what is not one order: client companies and order types."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.model import Model


class Client(Model):
    """A client company, to which people can be bound."""

    __tablename__ = "clients"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class OrderType(Model):
    """One version of a type, never changed: what its stages are called and what they wait for."""

    __tablename__ = "order_type_views"

    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    labels: Mapped[dict[str, str]]
    stages: Mapped[list[Any]]
    client_visible_fields: Mapped[list[Any]]
    fields_schema: Mapped[dict[str, Any]] = mapped_column(
        server_default=text("'{}'::jsonb"), deferred=True, deferred_raiseload=True
    )
    """Read with a whole order alone. Empty for a version heard of before this was kept."""
