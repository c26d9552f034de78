"""Many notices for one person leave as one e-mail, which is sent again as it was."""

from mail_world import MORE_MAILS, Server, claimed_in, hurry, statuses
from notify_world import FINANCE, MANAGER, SALES, fact

from chassis.clock import utc_now
from notify import letters, post
from notify.letters import TOGETHER_MAX
from stack import Running


async def test_many_notices_for_one_person_leave_as_one_mail_that_tells_each(
    mailing_notify: Running, server: Server
) -> None:
    await mailing_notify.hear(*[fact("instalment.due.v1") for _ in range(4)])
    async with server.up():
        await post.send_due_mail(mailing_notify.worker)
        assert len(server.mails) == 4  # few leave as they are
        server.mails.clear()
        await mailing_notify.hear(*[fact("instalment.due.v1") for _ in range(5)], fact("milestone.reached.v1"))
        await post.send_due_mail(mailing_notify.worker)
    assert server.addressees() == sorted([FINANCE, MANAGER, SALES])
    (many,) = [each for each in server.mails if str(each["To"]).startswith(FINANCE)]
    rows = await mailing_notify.rows(
        f"SELECT * FROM notices WHERE channel = 'email' AND user_id = '{FINANCE}' ORDER BY given_at, notice_id"
    )
    assert {(row["status"], row["attempts"]) for row in rows} == {("sent", 1)}
    told = rows[4:]
    assert many["Message-ID"] == f"<{told[0]['notice_id']}@orderloom>"
    assert [row["enclosed_in"] for row in told] == [None] + 4 * [told[0]["notice_id"]]
    assert many["Subject"] == f"5 条通知：{told[0]['subject']}"
    text = many.get_content().replace("\r\n", "\n")
    for number, row in enumerate(told, start=1):
        assert f"{number}. {row['subject']}\n\n{row['text']}" in text


async def test_a_mail_of_many_is_sent_again_with_the_same_notices_under_the_same_message_id(
    mailing_notify: Running, server: Server
) -> None:
    server.answers[f"{FINANCE}@example.com"] = "450 4.2.0 Later"
    async with server.up():
        await mailing_notify.hear(*[fact("instalment.due.v1") for _ in range(5)])
        await post.send_due_mail(mailing_notify.worker)
        assert await statuses(mailing_notify) == {FINANCE: "pending"}
        server.answers.clear()
        await mailing_notify.hear(*[fact("instalment.due.v1") for _ in range(7)])
        await hurry(mailing_notify)
        await post.send_due_mail(mailing_notify.worker)
    assert [str(each["Subject"]).split(" ")[0] for each in server.mails] == ["5", "7"]
    rows = await mailing_notify.rows("SELECT * FROM notices WHERE channel = 'email' ORDER BY given_at, notice_id")
    first_ids = [f"<{rows[0]['notice_id']}@orderloom>", f"<{rows[5]['notice_id']}@orderloom>"]
    assert [each["Message-ID"] for each in server.mails] == first_ids
    assert [row["attempts"] for row in rows] == 5 * [2] + 7 * [1]


async def test_what_was_to_leave_together_and_was_not_begun_may_leave_otherwise(
    mailing_notify: Running, server: Server
) -> None:
    await mailing_notify.hear(*[fact("instalment.due.v1") for _ in range(5)])
    async with mailing_notify.database.transaction() as session:
        (claimed,) = await claimed_in(session)
    assert len(claimed.notices) == 5
    async with mailing_notify.database.transaction() as session:
        await letters.keep(session, [claimed], now=utc_now())
    rows = await mailing_notify.rows("SELECT status, enclosed_in FROM notices WHERE channel = 'email'")
    assert {(row["status"], row["enclosed_in"]) for row in rows} == {("pending", None)}


async def test_a_backlog_of_one_person_leaves_in_mails_of_bounded_size(mailing_notify: Running, server: Server) -> None:
    await mailing_notify.hear(fact("instalment.due.v1"))
    await mailing_notify.rows(MORE_MAILS.format(count=TOGETHER_MAX + 49))
    async with server.up():
        await post.send_due_mail(mailing_notify.worker)
    assert sorted(int(str(each["Subject"]).split(" ")[0]) for each in server.mails) == [50, TOGETHER_MAX]
