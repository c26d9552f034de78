"""open invoices by index"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "instalments_invoiced_ix", "instalments", ["invoice_id"], postgresql_where=sa.text("status = 'invoiced'")
    )


def downgrade() -> None:
    op.drop_index("instalments_invoiced_ix", table_name="instalments")
