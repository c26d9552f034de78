"""Client companies, known by their code."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from chassis.errors import NotFound
from order.models.model import Model


class ClientNotFound(NotFound): ...


class Client(Model):
    """Registered by its first order, or by hand. An order may name it otherwise and keeps that name."""

    __tablename__ = "clients"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    tax_id: Mapped[str | None]
