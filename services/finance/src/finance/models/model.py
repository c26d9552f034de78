from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase

from chassis.database import COLUMN_TYPES, Row, new_metadata


class Model(Row, DeclarativeBase):
    """The base of this service's own tables."""

    metadata = new_metadata()
    type_annotation_map = COLUMN_TYPES


def checked_at_commit(column: str) -> ForeignKey:
    """A reference to a row that is new in the same transaction, and may be written after this one.

    The ORM writes classes in the order of their names, where no relationship tells it better.
    """
    return ForeignKey(column, deferrable=True, initially="DEFERRED")
