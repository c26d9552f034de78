from sqlalchemy.orm import DeclarativeBase

from chassis.database import COLUMN_TYPES, Row, new_metadata


class Model(Row, DeclarativeBase):
    """The base of this service's own tables."""

    metadata = new_metadata()
    type_annotation_map = COLUMN_TYPES
