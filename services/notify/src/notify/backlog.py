"""How much mail waits, for those who watch."""

from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import utc_now
from notify import queries

MAIL_PENDING = Gauge("orderloom_mail_pending", "E-mails that are not sent", ["service"])
MAIL_AGE = Gauge("orderloom_mail_age_seconds", "How long the oldest e-mail is not sent", ["service"])


async def watch_mail(session: AsyncSession) -> None:
    """Of those who can be reached: what waits for an address, or for somebody to come back, is no backlog."""
    count, oldest = await queries.mail_backlog(session)
    MAIL_PENDING.labels("notify").set(count)
    MAIL_AGE.labels("notify").set((utc_now() - oldest).total_seconds() if oldest else 0)
