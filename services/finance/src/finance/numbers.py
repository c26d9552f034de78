"""Invoice numbers: one series per year, without gaps. The database holds the books of one company."""

from datetime import date

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from finance.models.invoice import InvoiceSeries


async def next_invoice_number(session: AsyncSession, issued_on: date) -> str:
    """The next number of that year's series, which is locked until the transaction ends.

    Draw it last: whoever wants the next one waits, and when this transaction is rolled back the number is given again.
    """
    first = insert(InvoiceSeries).values(year=issued_on.year, last_number=1)
    drawn = first.on_conflict_do_update(
        index_elements=[InvoiceSeries.year], set_={"last_number": InvoiceSeries.last_number + 1}
    ).returning(InvoiceSeries.last_number)
    return f"INV-{issued_on.year}-{await session.scalar(drawn):05}"
