"""late orders and blocked tasks by index: every desk asks for them"""

from alembic import op

from chassis.migrations import make_index

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    make_index(
        "order_views_under_way_ix",
        "order_views (planned_finish, order_id) WHERE status = 'approved' AND accepted_on IS NULL",
    )
    make_index("task_views_blocked_ix", "task_views (planned_finish, task_id) WHERE status = 'blocked'")


def downgrade() -> None:
    op.drop_index("task_views_blocked_ix", table_name="task_views")
    op.drop_index("order_views_under_way_ix", table_name="order_views")
