"""Order numbers: from a sequence, in blocks, so that most cost no statement. They may have gaps."""

from collections.abc import Iterator

from sqlalchemy.ext.asyncio import AsyncSession

from order.models.order import NUMBERS_BLOCK as BLOCK
from order.models.order import order_numbers


async def next_order_number(session: AsyncSession) -> str:
    """Never given before. What is left of a block when the process ends is not given at all."""
    shared = session.info["shared"]
    block: Iterator[int] = shared.get(order_numbers, iter(()))
    number = next(block, None)
    if number is None:
        first = await session.scalar(order_numbers.next_value())
        assert first is not None
        number, shared[order_numbers] = first, iter(range(first + 1, first + BLOCK))
    return f"SO-{number:06}"
