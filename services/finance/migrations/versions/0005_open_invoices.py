"""open invoices by index"""

from alembic import op

from chassis.migrations import make_index

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    make_index("instalments_invoiced_ix", "instalments (invoice_id) WHERE status = 'invoiced'")


def downgrade() -> None:
    op.drop_index("instalments_invoiced_ix", table_name="instalments")
