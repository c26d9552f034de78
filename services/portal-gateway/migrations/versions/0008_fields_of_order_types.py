"""what the fields of an order type are called: pages name them"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    column = sa.Column("fields_schema", kind, server_default=sa.text("'{}'::jsonb"), nullable=False)
    op.add_column("order_type_views", column)


def downgrade() -> None:
    op.drop_column("order_type_views", "fields_schema")
