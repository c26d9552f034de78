from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase

from chassis.database import COLUMN_TYPES, Row, new_metadata


class Model(Row, DeclarativeBase):
    """The base of this service's own tables."""

    metadata = new_metadata()
    type_annotation_map = COLUMN_TYPES


def project_key() -> ForeignKey:
    """Checked at the commit: written by the ORM, the parts of a new project may leave before it does."""
    return ForeignKey("projects.order_id", deferrable=True, initially="DEFERRED")
