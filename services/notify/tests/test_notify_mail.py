"""E-mail leaves over a real SMTP server: at least once, whatever happens to the server, and nothing waits for it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from notify_world import CLIENT_PERSON, FINANCE, MANAGER, SALES, begun, changed, fact, until, user
from pydantic import SecretStr
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import utc_now
from chassis.ids import new_id
from chassis.settings import ServiceSettings
from chassis.worker import end
from notify import letters, mail, post
from notify.app import service
from notify.letters import NOTICES_MAX, TOGETHER_MAX, Letter
from notify.models import BACKOFF_SECONDS_MAX, CLAIM_SECONDS, Notice, NoticeStatus
from notify.settings import Settings
from orderloom.parts import Parts
from stack import Running, running, template_database


class Refusing(asyncio.Protocol):
    """What a mail server says to a client that has enough connections."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"421 Too many connections\r\n")
        transport.close()


class Server:
    """A mail server that can be away, and that answers each address as it is told."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, str] = {}
        self.connections = 0
        self.connections_max = 100
        self.breaks = False

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        def connected() -> asyncio.Protocol:
            self.connections += 1
            if self.connections > self.connections_max:
                return Refusing()
            return SMTP(self, enable_SMTPUTF8=True)

        server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", self.port)
        yield
        server.close()

    async def handle_RCPT(  # named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.breaks:
            assert server.transport is not None
            server.transport.close()
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        return "250 Kept"

    def addressees(self) -> list[str]:
        return sorted(str(each["To"]).partition("@")[0] for each in self.mails)


MORE_MAILS = """
    INSERT INTO notices
    SELECT (jsonb_populate_record(NULL::notices, to_jsonb(one) || jsonb_build_object(
        'notice_id', gen_random_uuid(), 'cause_id', gen_random_uuid()))).*
    FROM (SELECT * FROM notices WHERE channel = 'email' LIMIT 1) AS one, generate_series(1, {count})
    RETURNING notice_id
"""
"""Like one that is there already."""


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def notify_service(parts: Parts, keys_folder: Path, server: Server) -> AsyncIterator[Running]:
    """With a mail server. New rows are written as everywhere; the other way is tested with the rest."""
    template = await template_database(parts, service)
    async with running(
        service, parts, template=template, folder=keys_folder, smtp_host="127.0.0.1", smtp_port=server.port
    ) as notify:
        await begun(notify)
        yield notify


@asynccontextmanager
async def sending(notify_service: Running) -> AsyncIterator[None]:
    """The worker's duty, beside the test."""
    duty = asyncio.create_task(post.send_mail(notify_service.worker))
    yield
    await end([duty], again_seconds=1)


async def statuses(notify_service: Running) -> dict[str, str]:
    rows = await notify_service.rows("SELECT user_id, status FROM notices WHERE channel = 'email'")
    return {row["user_id"]: row["status"] for row in rows}


def all_are(status: str, notify_service: Running) -> Callable[[], object]:
    async def condition() -> bool:
        return set((await statuses(notify_service)).values()) == {status}

    return condition


async def claimed_in(session: AsyncSession) -> Sequence[Letter]:
    return await letters.claim(session, together_from=5, now=utc_now())


def each_alone(notify_service: Running) -> None:
    never = {"mail_together_from": 1_000_000}
    notify_service.worker.settings = notify_service.settings.model_copy(update=never)


async def hurry(notify_service: Running) -> None:
    """As if the time to the next attempt had passed."""
    async with notify_service.database.transaction() as session:
        await session.execute(update(Notice).values(not_before=utc_now() - timedelta(seconds=1)))


async def test_a_notice_leaves_as_a_mail_with_its_own_message_id(notify_service: Running, server: Server) -> None:
    async with server.up(), sending(notify_service):
        await notify_service.hear(fact("receipt.recorded.v1"), fact("milestone.reached.v1"))
        await until(all_are("sent", notify_service))
    assert server.addressees() == sorted([FINANCE, SALES, MANAGER, SALES])
    assert server.connections == 1
    rows = await notify_service.rows(
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
    notify_service: Running, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(post, "IDLE_SECONDS", 0.05)
    async with sending(notify_service):
        await notify_service.hear(fact("order.closed.v1"))
        await asyncio.sleep(0.3)
        await notify_service.hear(fact("instalment.due.v1"))
        assert await statuses(notify_service) == {SALES: "pending", CLIENT_PERSON: "pending", FINANCE: "pending"}
        given = await notify_service.rows("SELECT status FROM notices WHERE channel = 'in_app'")
        assert {row["status"] for row in given} == {"given"}
        async with server.up():
            await until(all_are("sent", notify_service))
    assert server.addressees() == sorted([SALES, CLIENT_PERSON, FINANCE])


async def test_an_address_refused_for_good_fails_with_the_reason_and_holds_up_no_other(
    notify_service: Running, server: Server
) -> None:
    server.answers[f"{CLIENT_PERSON}@example.com"] = "550 5.1.1 No such person"
    async with server.up():
        await notify_service.hear(fact("order.closed.v1"))
        await post.send_due_mail(notify_service.worker)
        await post.send_due_mail(notify_service.worker)
    assert await statuses(notify_service) == {SALES: "sent", CLIENT_PERSON: "failed"}
    (row,) = await notify_service.rows("SELECT failure, attempts FROM notices WHERE status = 'failed'")
    assert (row["failure"], row["attempts"]) == ("550 5.1.1 No such person", 1)


async def test_an_address_refused_for_now_is_tried_again_under_the_same_message_id(
    notify_service: Running, server: Server
) -> None:
    server.answers[f"{FINANCE}@example.com"] = "450 4.2.0 Later"
    async with server.up():
        await notify_service.hear(fact("instalment.due.v1"))
        for _ in range(2):
            await post.send_due_mail(notify_service.worker)
        (row,) = await notify_service.rows(
            "SELECT notice_id, status, attempts, failure FROM notices WHERE channel = 'email'"
        )
        assert (row["status"], row["attempts"], row["failure"]) == ("pending", 1, "450 4.2.0 Later")
        server.answers.clear()
        await hurry(notify_service)
        await post.send_due_mail(notify_service.worker)
    assert [each["Message-ID"] for each in server.mails] == [f"<{row['notice_id']}@orderloom>"]
    assert await statuses(notify_service) == {FINANCE: "sent"}


async def test_a_mail_whose_worker_died_is_sent_again_when_the_claim_runs_out(
    notify_service: Running, server: Server
) -> None:
    await notify_service.hear(fact("instalment.due.v1"))
    async with notify_service.database.transaction() as session:
        (claimed,) = await claimed_in(session)
    async with server.up():
        await post.send_due_mail(notify_service.worker)
        assert (server.mails, await statuses(notify_service)) == ([], {FINANCE: "sending"})
        await hurry(notify_service)
        await post.send_due_mail(notify_service.worker)
    assert [each["Message-ID"] for each in server.mails] == [f"<{claimed.letter_id}@orderloom>"]


async def test_two_workers_never_claim_the_same_mail(notify_service: Running) -> None:
    await notify_service.hear(fact("receipt.recorded.v1"))
    async with notify_service.database.transaction() as one, notify_service.database.transaction() as other:
        assert (len(await claimed_in(one)), await claimed_in(other)) == (2, [])


async def test_many_mails_leave_over_several_connections_and_each_once(notify_service: Running, server: Server) -> None:
    each_alone(notify_service)
    await notify_service.hear(fact("receipt.recorded.v1"))
    await notify_service.rows(MORE_MAILS.format(count=2 * NOTICES_MAX))
    async with server.up():
        await post.send_due_mail(notify_service.worker)
    assert server.connections == 3
    assert len({each["Message-ID"] for each in server.mails}) == len(server.mails) == 2 * NOTICES_MAX + 2


async def test_a_server_that_wants_one_connection_only_gets_all_mails_over_it(
    notify_service: Running, server: Server
) -> None:
    server.connections_max = 1
    each_alone(notify_service)
    await notify_service.hear(fact("receipt.recorded.v1"))
    await notify_service.rows(MORE_MAILS.format(count=NOTICES_MAX))
    async with server.up():
        await post.send_due_mail(notify_service.worker)
    assert len(server.mails) == NOTICES_MAX + 2


async def test_many_notices_for_one_person_leave_as_one_mail_that_tells_each(
    notify_service: Running, server: Server
) -> None:
    await notify_service.hear(*[fact("instalment.due.v1") for _ in range(4)])
    async with server.up():
        await post.send_due_mail(notify_service.worker)
        assert len(server.mails) == 4  # few leave as they are
        server.mails.clear()
        await notify_service.hear(*[fact("instalment.due.v1") for _ in range(5)], fact("milestone.reached.v1"))
        await post.send_due_mail(notify_service.worker)
    assert server.addressees() == sorted([FINANCE, MANAGER, SALES])
    (many,) = [each for each in server.mails if str(each["To"]).startswith(FINANCE)]
    rows = await notify_service.rows(
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
    notify_service: Running, server: Server
) -> None:
    server.answers[f"{FINANCE}@example.com"] = "450 4.2.0 Later"
    async with server.up():
        await notify_service.hear(*[fact("instalment.due.v1") for _ in range(5)])
        await post.send_due_mail(notify_service.worker)
        assert await statuses(notify_service) == {FINANCE: "pending"}
        server.answers.clear()
        await notify_service.hear(*[fact("instalment.due.v1") for _ in range(7)])
        await hurry(notify_service)
        await post.send_due_mail(notify_service.worker)
    assert [str(each["Subject"]).split(" ")[0] for each in server.mails] == ["5", "7"]
    rows = await notify_service.rows("SELECT * FROM notices WHERE channel = 'email' ORDER BY given_at, notice_id")
    first_ids = [f"<{rows[0]['notice_id']}@orderloom>", f"<{rows[5]['notice_id']}@orderloom>"]
    assert [each["Message-ID"] for each in server.mails] == first_ids
    assert [row["attempts"] for row in rows] == 5 * [2] + 7 * [1]


async def test_what_was_to_leave_together_and_was_not_begun_may_leave_otherwise(
    notify_service: Running, server: Server
) -> None:
    await notify_service.hear(*[fact("instalment.due.v1") for _ in range(5)])
    async with notify_service.database.transaction() as session:
        (claimed,) = await claimed_in(session)
    assert len(claimed.notices) == 5
    async with notify_service.database.transaction() as session:
        letters.keep(session, [claimed], now=utc_now())
    rows = await notify_service.rows("SELECT status, enclosed_in FROM notices WHERE channel = 'email'")
    assert {(row["status"], row["enclosed_in"]) for row in rows} == {("pending", None)}


async def test_a_backlog_of_one_person_leaves_in_mails_of_bounded_size(notify_service: Running, server: Server) -> None:
    await notify_service.hear(fact("instalment.due.v1"))
    await notify_service.rows(MORE_MAILS.format(count=TOGETHER_MAX + 49))
    async with server.up():
        await post.send_due_mail(notify_service.worker)
    assert sorted(int(str(each["Subject"]).split(" ")[0]) for each in server.mails) == [50, TOGETHER_MAX]


async def test_what_was_not_sent_when_the_connection_broke_is_free_again(
    notify_service: Running, server: Server
) -> None:
    server.breaks = True
    await notify_service.hear(fact("receipt.recorded.v1"))
    async with server.up():
        with pytest.raises((aiosmtplib.SMTPException, OSError)):
            await post.send_due_mail(notify_service.worker)
    rows = await notify_service.rows("SELECT status, attempts FROM notices WHERE channel = 'email'")
    assert sorted((row["status"], row["attempts"]) for row in rows) == [("pending", 0), ("pending", 1)]


async def test_a_late_address_is_written_to_and_no_one_who_may_not_sign_in(
    notify_service: Running, server: Server
) -> None:
    await notify_service.hear(changed(CLIENT_PERSON, email=None))
    await notify_service.hear(fact("order.closed.v1"))
    await notify_service.hear(user(SALES, active=False))
    async with server.up():
        await post.send_due_mail(notify_service.worker)
        assert server.mails == []
        await notify_service.hear(changed(CLIENT_PERSON, email="lin@example.com"))
        await post.send_due_mail(notify_service.worker)
        assert [str(each["To"]) for each in server.mails] == ["lin@example.com"]
        await notify_service.hear(changed(SALES))
        await post.send_due_mail(notify_service.worker)
    assert len(server.mails) == 2


async def test_an_address_learned_while_a_notice_was_given_elsewhere_is_found_by_the_sweep(
    notify_service: Running, server: Server
) -> None:
    await notify_service.hear(fact("instalment.due.v1"))
    async with notify_service.database.transaction() as session:
        await session.execute(update(Notice).values(status=NoticeStatus.WAITING))
    async with server.up(), sending(notify_service):
        await until(all_are("sent", notify_service))


async def test_an_address_outside_ascii_is_written_to_and_one_that_is_none_fails(
    notify_service: Running, server: Server
) -> None:
    await notify_service.hear(changed(CLIENT_PERSON, email="林晓@example.com"), changed(SALES, email="no\naddress"))
    await notify_service.hear(fact("order.closed.v1"))
    async with server.up():
        await post.send_due_mail(notify_service.worker)
    assert await statuses(notify_service) == {CLIENT_PERSON: "sent", SALES: "failed"}


async def test_without_a_mail_server_in_the_settings_mails_wait(notify_service: Running) -> None:
    await notify_service.hear(fact("instalment.due.v1"))
    notify_service.worker.settings = notify_service.settings.model_copy(update={"smtp_host": ""})
    await post.send_due_mail(notify_service.worker)
    assert await statuses(notify_service) == {FINANCE: "pending"}


async def test_a_password_never_goes_to_a_server_without_tls(notify_service: Running, server: Server) -> None:
    await notify_service.hear(fact("instalment.due.v1"))
    changes = {"smtp_username": "orders", "smtp_password": SecretStr("secret")}
    notify_service.worker.settings = notify_service.settings.model_copy(update=changes)
    async with server.up():
        with pytest.raises(aiosmtplib.SMTPException, match="STARTTLS"):
            await post.send_due_mail(notify_service.worker)
    assert await statuses(notify_service) == {FINANCE: "pending"}


def test_attempts_are_further_and_further_apart_up_to_an_hour() -> None:
    notice = Notice(notice_id=new_id(), status=NoticeStatus.SENDING, attempts=0)
    waits, now = [], utc_now()
    for _ in range(10):
        notice.begin()
        notice.try_later("450", now=now)
        waits.append((notice.not_before - now).total_seconds())
    assert waits[:3] == [30, 60, 120] and waits[-1] == BACKOFF_SECONDS_MAX
    assert post.BATCH_SECONDS_MAX < CLAIM_SECONDS


def test_a_sender_in_any_script_is_written_as_an_address() -> None:
    notice = Notice(notice_id=new_id(), subject="a", text="b\n", locale="en")
    letter = Letter([notice], "x@example.com")
    raw = mail.message(letter, sender="织单 <orders@example.com>", now=utc_now())
    assert message_from_bytes(raw, policy=policy.default)["From"] == "织单 <orders@example.com>"


def test_a_sender_without_an_address_is_refused_at_the_start() -> None:
    assert issubclass(Settings, ServiceSettings)
    with pytest.raises(ValueError, match="address"):
        Settings(database_url="", kafka_bootstrap_servers="", mail_from="Orderloom")
