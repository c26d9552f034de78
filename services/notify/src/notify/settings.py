from email.utils import parseaddr

from pydantic import Field, SecretStr, field_validator

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the notify service is told by its environment."""

    gateway_url: str = "http://127.0.0.1:8000"
    """Where people open an order: links in texts begin with it."""
    smtp_host: str = ""
    """The mail server. Empty: e-mails are recorded and wait until there is one."""
    smtp_port: int = Field(default=25, ge=1, le=65535)
    """465 speaks TLS from the start; on any other, TLS begins when the server offers it."""
    smtp_username: str = ""
    """Empty: nobody signs in. Otherwise the server must offer TLS first."""
    smtp_password: SecretStr = SecretStr("")
    """Of that user. It never leaves in the clear."""
    smtp_connections: int = Field(default=3, ge=1)
    """At once, at most: as many as the mail server lets one client have. One is used until a batch fills it."""
    mail_together_from: int = Field(default=5, ge=2)
    """From so many e-mails on that wait for one person at the same moment, they leave as one."""
    mail_from: str = "Orderloom <orderloom@localhost>"
    """Whom mails are from: an address, or a name with an address in angle brackets."""

    @field_validator("mail_from")
    @classmethod
    def _holds_an_address(cls, mail_from: str) -> str:
        """At the start: later, every mail would be refused."""
        if "@" not in parseaddr(mail_from)[1]:
            raise ValueError("write it as an address, or as a name with an address in angle brackets")
        return mail_from
