"""What the database gives back is what went in."""

from decimal import Decimal

import pytest
from sqlalchemy import Numeric, literal, select

from chassis.idempotency import IdempotencyKey
from stack import Running


@pytest.mark.parametrize(
    "written", ["300000", "10000", "0", "0.00", "300000.00", "123400000000", "0.000001", "38.5050"]
)
async def test_a_decimal_keeps_its_digits(order_service: Running, written: str) -> None:
    async with order_service.database.transaction() as session:
        read = await session.scalar(select(literal(Decimal(written), Numeric)))
    assert str(read) == written


def test_a_row_is_not_made_of_what_is_no_column() -> None:
    with pytest.raises(TypeError, match="colour"):
        IdempotencyKey(actor="user:wang", key="1", colour="red")


def test_a_row_that_is_only_written_is_not_made_of_what_is_no_column_either() -> None:
    with pytest.raises(TypeError, match="colour"):
        IdempotencyKey.unattached(actor="user:wang", key="1", colour="red")
