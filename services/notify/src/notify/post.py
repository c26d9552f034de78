"""The post: e-mails leave through an SMTP server, at least once, and nothing else ever waits for it."""

import asyncio
import math
import time
from collections import deque
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.utils import parseaddr

import aiosmtplib
import structlog

from chassis.clock import utc_now
from chassis.database import Database
from chassis.diagnosis import Unwell
from chassis.environment import variable
from chassis.worker import Worker
from notify import letters, mail, operations, queries
from notify.letters import Letter
from notify.mail import NotAnAddress
from notify.settings import Settings

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.5
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 0.5, 30.0
"""After the first failure to reach the server, and after many."""
RELEASE_SECONDS = 60.0
COMMAND_SECONDS_MAX = 10.0
TLS_PORT = 465
ROUND_SECONDS, LETTER_SECONDS_MAX = 60.0, 4 * COMMAND_SECONDS_MAX
"""Then no further letter is begun. A claim lasts longer: no one else sends what this worker still may send."""
LETTERS_EACH = 200
"""Over one connection in a round: for more there is another."""


async def send_mail(worker: Worker) -> None:
    """Send what is due, for ever. While the server is away, look for it less and less often."""
    failures, released_at = 0, float("-inf")
    while True:
        try:
            if asyncio.get_running_loop().time() - released_at > RELEASE_SECONDS:
                await _release_waiting(worker.database)
                released_at = asyncio.get_running_loop().time()
            await send_due_mail(worker)
            failures = 0
            await asyncio.sleep(IDLE_SECONDS)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as reason:
            pause_seconds = min(PAUSE_SECONDS * 2 ** min(failures, 10), PAUSE_SECONDS_MAX)
            failures += 1
            log.warning("mail_waits", reason=repr(reason), pause_seconds=pause_seconds)
            await asyncio.sleep(pause_seconds)


async def send_due_mail(worker: Worker) -> None:
    """Send all that is due, round by round. Raises what keeps the server from taking any mail."""
    settings = worker.settings
    assert isinstance(settings, Settings)
    if not settings.smtp_host or not await _is_due(worker.database):
        return
    async with _connection(settings) as server:
        while await _send_round(worker.database, server, settings):
            pass


async def _is_due(database: Database) -> bool:
    async with database.transaction() as session:
        return await queries.is_mail_due(session, now=utc_now())


async def _send_round(database: Database, server: aiosmtplib.SMTP, settings: Settings) -> bool:
    """Claim some and send them, over as many connections as they fill; whether there were any.

    A mail is four answers waited for one after the other: many at a time wait together.
    """
    notices_max = settings.smtp_connections * LETTERS_EACH
    async with database.transaction() as session:
        claimed = await letters.claim(
            session, at_most=notices_max, together_from=settings.mail_together_from, now=utc_now()
        )
    if not claimed:
        return False
    turn = Turn(deque(claimed), until=time.monotonic() + ROUND_SECONDS)
    others = math.ceil(len(claimed) / LETTERS_EACH) - 1
    sending = [_send_waiting(server, turn, settings), *(_send_over_another(turn, settings) for _ in range(others))]
    try:
        ends = await asyncio.gather(*sending, return_exceptions=True)  # one that breaks stops no other
    finally:  # also when this worker stops in the middle
        async with database.transaction() as session:
            await letters.keep(session, claimed, now=utc_now())
    for reason in ends:
        if reason is not None:
            raise reason
    return True


@dataclass(frozen=True)
class Turn:
    """Letters whose turn it is, shared by connections: whichever is free takes the next, `until` the round is over."""

    waiting: deque[Letter]
    until: float


async def _send_waiting(server: aiosmtplib.SMTP, turn: Turn, settings: Settings) -> None:
    while turn.waiting and time.monotonic() < turn.until:
        await _send(server, turn.waiting.popleft(), sender=settings.mail_from)


async def _send_over_another(turn: Turn, settings: Settings) -> None:
    """A server that wants no more connections than it has gets no more."""
    async with AsyncExitStack() as connections:
        try:
            server = await connections.enter_async_context(_connection(settings))
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as reason:
            log.info("mail_connection_refused", reason=repr(reason))
            return
        await _send_waiting(server, turn, settings)


async def look_at_server(settings: Settings) -> str:
    """Whether it lets us in; nothing is sent. Raises `Unwell`."""
    if not settings.smtp_host:
        return f"{variable('smtp_host')} names no mail server: mails wait until one is named."
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        async with _connection(settings) as server:
            await server.noop()
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as reason:
        raise Unwell(f"{where} does not let us in: {reason!r}. Mails wait meanwhile.") from reason
    return f"{where} lets us in."


def _connection(settings: Settings) -> aiosmtplib.SMTP:
    is_signed_in = bool(settings.smtp_username)
    return aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username or None,
        password=settings.smtp_password.get_secret_value() if is_signed_in else None,
        use_tls=settings.smtp_port == TLS_PORT,
        start_tls=True if is_signed_in and settings.smtp_port != TLS_PORT else None,  # never a password in the clear
        timeout=COMMAND_SECONDS_MAX,
    )


async def _release_waiting(database: Database) -> None:
    """Again for everyone: another worker may have given a notice just when this one learned of the address."""
    async with database.transaction() as session:
        await operations.release_waiting(session)


async def _send(server: aiosmtplib.SMTP, letter: Letter, *, sender: str) -> None:
    """Let the server take it, or let the letter say why not. Raises when the server might take no other either."""
    letter.begin()
    try:
        message = mail.message(letter, sender=sender, now=utc_now())
        options = () if letter.address.isascii() else ("SMTPUTF8",)
        await server.sendmail(parseaddr(sender)[1], [letter.address], message, mail_options=options)
        letter.send(now=utc_now())
    except aiosmtplib.SMTPRecipientsRefused as refused:
        _refuse(letter, refused.recipients[0])
    except aiosmtplib.SMTPDataError as refused:
        _refuse(letter, refused)
    except (NotAnAddress, aiosmtplib.SMTPNotSupported, ValueError) as reason:  # of aiosmtplib: an unsafe address
        letter.fail(str(reason))
    except (aiosmtplib.SMTPException, OSError) as reason:
        letter.try_later(repr(reason), now=utc_now())  # whatever it is, the others do not wait behind this one
        raise


def _refuse(letter: Letter, refused: aiosmtplib.SMTPResponseException) -> None:
    """RFC 5321: 5xx is for good, 4xx for now."""
    reason = f"{refused.code} {refused.message}"
    if 500 <= refused.code < 600:
        letter.fail(reason)
    else:
        letter.try_later(reason, now=utc_now())
