"""Mail that waits is seen by those who watch."""

from notify_world import begun, changed, fact
from prometheus_client import REGISTRY

from notify.backlog import watch_mail
from stack import Running


async def watched(notify_service: Running) -> tuple[float | None, float | None]:
    """How many, and the age of the oldest in seconds."""
    async with notify_service.database.transaction() as session:
        await watch_mail(session)
    names = ("orderloom_mail_pending", "orderloom_mail_age_seconds")
    count, age_seconds = (REGISTRY.get_sample_value(name, {"service": "notify"}) for name in names)
    return count, age_seconds


async def test_mail_that_is_not_sent_is_counted_and_has_an_age(notify_service: Running) -> None:
    await begun(notify_service)
    assert await watched(notify_service) == (0, 0)
    await notify_service.hear(fact("task.overdue.v1"))
    count = await notify_service.count("notices WHERE channel = 'email'")
    await notify_service.rows("UPDATE notices SET given_at = given_at - interval '1 hour' RETURNING notice_id")
    seen, age_seconds = await watched(notify_service)
    assert seen == count > 0
    assert age_seconds is not None and 3600 <= age_seconds < 3660


async def test_mail_for_someone_who_may_not_sign_in_is_no_backlog(notify_service: Running) -> None:
    await begun(notify_service)
    await notify_service.hear(fact("task.overdue.v1"))
    before, _ = await watched(notify_service)
    addressees = await notify_service.rows("SELECT DISTINCT user_id FROM notices WHERE channel = 'email'")
    await notify_service.hear(*(changed(row["user_id"], active=False) for row in addressees))
    assert before and await watched(notify_service) == (0, 0)
