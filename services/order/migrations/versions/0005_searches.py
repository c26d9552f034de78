"""searches and lists of one client by index"""

from alembic import op

revision = "0005"
down_revision = "0002"
branch_labels = None
depends_on = None

TRIGRAMS = """
    CREATE FUNCTION trigrams(text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
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
    op.execute(f"CREATE INDEX orders_search_ix ON orders USING gin (trigrams({SEARCHED}))")
    op.create_index("orders_client_code_order_id_ix", "orders", ["client_code", "order_id"])


def downgrade() -> None:
    op.drop_index("orders_client_code_order_id_ix", table_name="orders")
    op.drop_index("orders_search_ix", table_name="orders")
    op.execute("DROP FUNCTION trigrams(text)")
