"""searches and lists of one client by index"""

from alembic import op

from chassis.migrations import make_index

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TRIGRAMS = """
    CREATE OR REPLACE FUNCTION trigrams(text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    AS $$ SELECT array_agg(DISTINCT substr($1, at, 3)) FROM generate_series(1, length($1) - 2) AS at $$
"""
SEARCHED = """
    lower(
        coalesce(order_no, '')
        || chr(10) || coalesce(external_id, '')
        || chr(10) || coalesce(title, '')
        || chr(10) || coalesce(client_name, '')
    )
"""


def upgrade() -> None:
    op.execute(TRIGRAMS)
    make_index("order_views_search_ix", f"order_views USING gin (trigrams({SEARCHED}))")
    make_index("order_views_client_code_ix", "order_views (client_code, order_id)")


def downgrade() -> None:
    op.drop_index("order_views_client_code_ix", table_name="order_views")
    op.drop_index("order_views_search_ix", table_name="order_views")
    op.execute("DROP FUNCTION trigrams(text)")
