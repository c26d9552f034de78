"""E-mail leaves over a real SMTP server: at least once, whatever happens to the server, and nothing waits for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes, policy

import aiosmtplib
import pytest
from mail_world import MORE_MAILS, Server, claimed_in, hurry, statuses
from notify_world import CLIENT_PERSON, FINANCE, MANAGER, SALES, changed, fact, until, user
from pydantic import SecretStr
from sqlalchemy import update

from chassis.clock import utc_now
from chassis.ids import new_id
from chassis.settings import ServiceSettings
from chassis.worker import end
from notify import mail, post
from notify.letters import Letter
from notify.models import BACKOFF_SECONDS_MAX, CLAIM_SECONDS, Notice, NoticeStatus
from notify.settings import Settings
from stack import Running


def each_alone(mailing_notify: Running) -> None:
    never = {"mail_together_from": 1_000_000}
    mailing_notify.worker.settings = mailing_notify.settings.model_copy(update=never)


@asynccontextmanager
async def sending(mailing_notify: Running) -> AsyncIterator[None]:
    """The worker's duty, beside the test."""
    duty = asyncio.create_task(post.send_mail(mailing_notify.worker))
    yield
    await end([duty], again_seconds=1)


def all_are(status: str, mailing_notify: Running) -> Callable[[], object]:
    async def condition() -> bool:
        return set((await statuses(mailing_notify)).values()) == {status}

    return condition


async def test_a_notice_leaves_as_a_mail_with_its_own_message_id(mailing_notify: Running, server: Server) -> None:
    async with server.up(), sending(mailing_notify):
        await mailing_notify.hear(fact("receipt.recorded.v1"), fact("milestone.reached.v1"))
        await until(all_are("sent", mailing_notify))
    assert server.addressees() == sorted([FINANCE, SALES, MANAGER, SALES])
    assert server.connections == 1
    rows = await mailing_notify.rows(
        "SELECT notice_id, subject, text, sent_at, attempts FROM notices WHERE channel = 'email'"
    )
    by_id = {f"<{row['notice_id']}@orderloom>": row for row in rows}
    for each in server.mails:
        row = by_id.pop(each["Message-ID"])
        assert (each["Subject"], each.get_content().replace("\r\n", "\n")) == (row["subject"], row["text"])
        assert each["From"] == "Orderloom <orderloom@localhost>"
        assert each["Date"] and each.get_content_type() == "text/plain"
        assert row["sent_at"] and row["attempts"] == 1
    assert by_id == {}


async def test_nothing_waits_for_a_server_that_is_down_and_everything_leaves_when_it_is_up(
    mailing_notify: Running, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(post, "IDLE_SECONDS", 0.05)
    async with sending(mailing_notify):
        await mailing_notify.hear(fact("order.closed.v1"))
        await asyncio.sleep(0.3)
        await mailing_notify.hear(fact("instalment.due.v1"))
        assert await statuses(mailing_notify) == {SALES: "pending", CLIENT_PERSON: "pending", FINANCE: "pending"}
        given = await mailing_notify.rows("SELECT status FROM notices WHERE channel = 'in_app'")
        assert {row["status"] for row in given} == {"given"}
        async with server.up():
            await until(all_are("sent", mailing_notify))
    assert server.addressees() == sorted([SALES, CLIENT_PERSON, FINANCE])


async def test_an_address_refused_for_good_fails_with_the_reason_and_holds_up_no_other(
    mailing_notify: Running, server: Server
) -> None:
    server.answers[f"{CLIENT_PERSON}@example.com"] = "550 5.1.1 No such person"
    async with server.up():
        await mailing_notify.hear(fact("order.closed.v1"))
        await post.send_due_mail(mailing_notify.worker)
        await post.send_due_mail(mailing_notify.worker)
    assert await statuses(mailing_notify) == {SALES: "sent", CLIENT_PERSON: "failed"}
    (row,) = await mailing_notify.rows("SELECT failure, attempts FROM notices WHERE status = 'failed'")
    assert (row["failure"], row["attempts"]) == ("550 5.1.1 No such person", 1)


async def test_an_address_refused_for_now_is_tried_again_under_the_same_message_id(
    mailing_notify: Running, server: Server
) -> None:
    server.answers[f"{FINANCE}@example.com"] = "450 4.2.0 Later"
    async with server.up():
        await mailing_notify.hear(fact("instalment.due.v1"))
        for _ in range(2):
            await post.send_due_mail(mailing_notify.worker)
        (row,) = await mailing_notify.rows(
            "SELECT notice_id, status, attempts, failure FROM notices WHERE channel = 'email'"
        )
        assert (row["status"], row["attempts"], row["failure"]) == ("pending", 1, "450 4.2.0 Later")
        server.answers.clear()
        await hurry(mailing_notify)
        await post.send_due_mail(mailing_notify.worker)
    assert [each["Message-ID"] for each in server.mails] == [f"<{row['notice_id']}@orderloom>"]
    assert await statuses(mailing_notify) == {FINANCE: "sent"}


async def test_a_mail_whose_worker_died_is_sent_again_when_the_claim_runs_out(
    mailing_notify: Running, server: Server
) -> None:
    await mailing_notify.hear(fact("instalment.due.v1"))
    async with mailing_notify.database.transaction() as session:
        (claimed,) = await claimed_in(session)
    async with server.up():
        await post.send_due_mail(mailing_notify.worker)
        assert (server.mails, await statuses(mailing_notify)) == ([], {FINANCE: "sending"})
        await hurry(mailing_notify)
        await post.send_due_mail(mailing_notify.worker)
    assert [each["Message-ID"] for each in server.mails] == [f"<{claimed.letter_id}@orderloom>"]


async def test_two_workers_never_claim_the_same_mail(mailing_notify: Running) -> None:
    await mailing_notify.hear(fact("receipt.recorded.v1"))
    async with mailing_notify.database.transaction() as one, mailing_notify.database.transaction() as other:
        assert (len(await claimed_in(one)), await claimed_in(other)) == (2, [])


async def test_many_mails_leave_over_several_connections_and_each_once(mailing_notify: Running, server: Server) -> None:
    each_alone(mailing_notify)
    await mailing_notify.hear(fact("receipt.recorded.v1"))
    await mailing_notify.rows(MORE_MAILS.format(count=2 * post.LETTERS_EACH))
    async with server.up():
        await post.send_due_mail(mailing_notify.worker)
    assert server.connections == 3
    assert len({each["Message-ID"] for each in server.mails}) == len(server.mails) == 2 * post.LETTERS_EACH + 2


async def test_a_server_that_wants_one_connection_only_gets_all_mails_over_it(
    mailing_notify: Running, server: Server
) -> None:
    server.connections_max = 1
    each_alone(mailing_notify)
    await mailing_notify.hear(fact("receipt.recorded.v1"))
    await mailing_notify.rows(MORE_MAILS.format(count=post.LETTERS_EACH))
    async with server.up():
        await post.send_due_mail(mailing_notify.worker)
    assert len(server.mails) == post.LETTERS_EACH + 2


async def test_what_was_not_sent_when_the_connection_broke_is_free_again(
    mailing_notify: Running, server: Server
) -> None:
    server.breaks = True
    await mailing_notify.hear(fact("receipt.recorded.v1"))
    async with server.up():
        with pytest.raises((aiosmtplib.SMTPException, OSError)):
            await post.send_due_mail(mailing_notify.worker)
    rows = await mailing_notify.rows("SELECT status, attempts FROM notices WHERE channel = 'email'")
    assert sorted((row["status"], row["attempts"]) for row in rows) == [("pending", 0), ("pending", 1)]


async def test_a_late_address_is_written_to_and_no_one_who_may_not_sign_in(
    mailing_notify: Running, server: Server
) -> None:
    await mailing_notify.hear(changed(CLIENT_PERSON, email=None))
    await mailing_notify.hear(fact("order.closed.v1"))
    await mailing_notify.hear(user(SALES, active=False))
    async with server.up():
        await post.send_due_mail(mailing_notify.worker)
        assert server.mails == []
        await mailing_notify.hear(changed(CLIENT_PERSON, email="lin@example.com"))
        await post.send_due_mail(mailing_notify.worker)
        assert [str(each["To"]) for each in server.mails] == ["lin@example.com"]
        await mailing_notify.hear(changed(SALES))
        await post.send_due_mail(mailing_notify.worker)
    assert len(server.mails) == 2


async def test_an_address_learned_while_a_notice_was_given_elsewhere_is_found_by_the_sweep(
    mailing_notify: Running, server: Server
) -> None:
    await mailing_notify.hear(fact("instalment.due.v1"))
    async with mailing_notify.database.transaction() as session:
        await session.execute(update(Notice).values(status=NoticeStatus.WAITING))
    async with server.up(), sending(mailing_notify):
        await until(all_are("sent", mailing_notify))


async def test_an_address_outside_ascii_is_written_to_and_one_that_is_none_fails(
    mailing_notify: Running, server: Server
) -> None:
    await mailing_notify.hear(changed(CLIENT_PERSON, email="林晓@example.com"), changed(SALES, email="no\naddress"))
    await mailing_notify.hear(fact("order.closed.v1"))
    async with server.up():
        await post.send_due_mail(mailing_notify.worker)
    assert await statuses(mailing_notify) == {CLIENT_PERSON: "sent", SALES: "failed"}


async def test_without_a_mail_server_in_the_settings_mails_wait(mailing_notify: Running) -> None:
    await mailing_notify.hear(fact("instalment.due.v1"))
    mailing_notify.worker.settings = mailing_notify.settings.model_copy(update={"smtp_host": ""})
    await post.send_due_mail(mailing_notify.worker)
    assert await statuses(mailing_notify) == {FINANCE: "pending"}


async def test_a_password_never_goes_to_a_server_without_tls(mailing_notify: Running, server: Server) -> None:
    await mailing_notify.hear(fact("instalment.due.v1"))
    changes = {"smtp_username": "orders", "smtp_password": SecretStr("secret")}
    mailing_notify.worker.settings = mailing_notify.settings.model_copy(update=changes)
    async with server.up():
        with pytest.raises(aiosmtplib.SMTPException, match="STARTTLS"):
            await post.send_due_mail(mailing_notify.worker)
    assert await statuses(mailing_notify) == {FINANCE: "pending"}


def test_attempts_are_further_and_further_apart_up_to_an_hour() -> None:
    notice = Notice(notice_id=new_id(), status=NoticeStatus.SENDING, attempts=0)
    waits, now = [], utc_now()
    for _ in range(10):
        notice.begin()
        notice.try_later("450", now=now)
        waits.append((notice.not_before - now).total_seconds())
    assert waits[:3] == [30, 60, 120] and waits[-1] == BACKOFF_SECONDS_MAX
    assert post.ROUND_SECONDS + post.LETTER_SECONDS_MAX < CLAIM_SECONDS


def test_a_sender_in_any_script_is_written_as_an_address() -> None:
    notice = Notice(notice_id=new_id(), subject="a", text="b\n", locale="en")
    letter = Letter([notice], "x@example.com")
    raw = mail.message(letter, sender="织单 <orders@example.com>", now=utc_now())
    assert message_from_bytes(raw, policy=policy.default)["From"] == "织单 <orders@example.com>"


def test_a_sender_without_an_address_is_refused_at_the_start() -> None:
    assert issubclass(Settings, ServiceSettings)
    with pytest.raises(ValueError, match="address"):
        Settings(database_url="", kafka_bootstrap_servers="", mail_from="Orderloom")
