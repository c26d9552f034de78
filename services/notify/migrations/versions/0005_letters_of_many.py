"""which e-mails leave in the e-mail of another: many to one person at once are one"""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import make_index

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notices", sa.Column("enclosed_in", sa.Uuid(), nullable=True))
    make_index(
        "notices_enclosed_ix",
        "notices (enclosed_in) WHERE enclosed_in IS NOT NULL AND status IN ('pending', 'sending')",
    )


def downgrade() -> None:
    op.drop_index("notices_enclosed_ix", table_name="notices")
    op.drop_column("notices", "enclosed_in")
