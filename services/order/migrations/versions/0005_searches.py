"""searches and lists of one client by index"""

from alembic import op

from chassis.migrations import make_index

revision = "0005"
down_revision = "0004"
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
    )
"""


def upgrade() -> None:
    op.execute(TRIGRAMS)
    make_index("orders_search_ix", f"orders USING gin (trigrams({SEARCHED}))")
    make_index("orders_client_code_order_id_ix", "orders (client_code, order_id)")


def downgrade() -> None:
    op.drop_index("orders_client_code_order_id_ix", table_name="orders")
    op.drop_index("orders_search_ix", table_name="orders")
    op.execute("DROP FUNCTION trigrams(text)")
