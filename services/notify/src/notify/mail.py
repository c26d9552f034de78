"""An e-mail as it is handed to a mail server."""

import re
from datetime import datetime
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, parseaddr

from notify.models import Notice

DOMAIN = "orderloom"
"""Of message ids. They name a notice, not a host, so that every attempt has the same."""


ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")
"""Whatever else an address is, the mail server says."""


class NotAnAddress(Exception):
    """What the directory tells as an address is none."""


def message(notice: Notice, *, address: str, sender: str, now: datetime) -> bytes:
    """The whole of it. However often it is sent, `Message-ID` is the same, so that mail programs show it once.

    Raises `NotAnAddress`. `MIMEText` takes a seventh of the time of the newer `EmailMessage`, and every notice is one.
    """
    if not ADDRESS.fullmatch(address):
        raise NotAnAddress(f"{address!r} is no e-mail address: correct it where people are kept.")
    mail = MIMEText(notice.text, "plain", "utf-8")
    mail["Message-ID"] = f"<{notice.notice_id}@{DOMAIN}>"
    mail["Date"] = format_datetime(now)
    mail["From"] = formataddr(parseaddr(sender))
    mail["To"] = address
    mail["Subject"] = notice.subject
    mail["Content-Language"] = notice.locale
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: out-of-office programs leave it unanswered
    return mail.as_bytes()
