"""A mail server that does as it is told, and what a test of mail looks at."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import utc_now
from notify import letters
from notify.letters import Letter
from notify.models import Notice
from stack import Running


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


async def statuses(notify_service: Running) -> dict[str, str]:
    rows = await notify_service.rows("SELECT user_id, status FROM notices WHERE channel = 'email'")
    return {row["user_id"]: row["status"] for row in rows}


async def claimed_in(session: AsyncSession) -> Sequence[Letter]:
    return await letters.claim(session, at_most=200, together_from=5, now=utc_now())


async def hurry(notify_service: Running) -> None:
    """As if the time to the next attempt had passed."""
    async with notify_service.database.transaction() as session:
        await session.execute(update(Notice).values(not_before=utc_now() - timedelta(seconds=1)))
