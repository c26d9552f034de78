"""why a request of a system outside was rejected, and those requests by time"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.migrations import make_index

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbound_requests", sa.Column("external_id", sa.String(), nullable=True))
    errors = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    op.add_column("inbound_requests", sa.Column("errors", errors, nullable=True))
    op.add_column("inbound_requests", sa.Column("errors_total", sa.Integer(), nullable=True))
    make_index(
        "inbound_requests_rejected_ix", "inbound_requests (answered_at, source, request_id) WHERE order_id IS NULL"
    )


def downgrade() -> None:
    op.drop_index("inbound_requests_rejected_ix", table_name="inbound_requests")
    op.drop_column("inbound_requests", "errors_total")
    op.drop_column("inbound_requests", "errors")
    op.drop_column("inbound_requests", "external_id")
