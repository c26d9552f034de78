"""Tokens that are taken back before they expire."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Mapped, mapped_column

from portal.models.model import Model

KEPT_FOR = timedelta(hours=2)
"""Longer than any token is good."""


class SignOut(Model):
    """Of one token, or of all that somebody was given before."""

    __tablename__ = "sign_outs"

    whose: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


def of_token(token_id: str) -> str:
    return f"token {token_id}"


def of_user(user_id: str) -> str:
    return f"user {user_id}"
