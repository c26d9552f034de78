"""tokens that are taken back"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_outs",
        sa.Column("whose", sa.String(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("whose", name=op.f("sign_outs_pkey")),
    )
    op.create_index(op.f("sign_outs_at_ix"), "sign_outs", ["at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("sign_outs_at_ix"), table_name="sign_outs")
    op.drop_table("sign_outs")
