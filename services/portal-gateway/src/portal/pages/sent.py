"""The fields of a form, as somebody has sent them. What no form of ours sends is refused, never guessed."""

import uuid
from uuid import UUID

from starlette.datastructures import FormData, UploadFile

from chassis.errors import FieldError, Invalid
from chassis.idempotency import KEY_CHARACTERS_MAX
from portal.pages.written import whole

FIELD_MAX = 20_000


class FormForged(Invalid):
    """A field that the page itself has filled in holds something else."""


class Sent:
    """Absent fields are empty."""

    def __init__(self, form: FormData) -> None:
        self._form = form

    def text(self, name: str) -> str:
        value = self._form.get(name, "")
        return "" if isinstance(value, UploadFile) else value.strip()[:FIELD_MAX]

    def raw(self, name: str) -> str:
        """As it was typed: of a password every character counts."""
        value = self._form.get(name, "")
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        return [value.strip()[:FIELD_MAX] for value in self._form.getlist(name) if isinstance(value, str)]

    def optional(self, name: str) -> str | None:
        return self.text(name) or None

    def number(self, name: str) -> int | None:
        """None where no whole number is written."""
        return whole(self.text(name))

    def id(self, name: str) -> UUID:
        """Of what the form is about. Raises `FormForged`."""
        try:
            return UUID(self.text(name))
        except ValueError as reason:
            raise _forged(name, "It names nothing that there could be.") from reason

    def has(self, name: str) -> bool:
        return name in self._form

    @property
    def key(self) -> str:
        """Of this very form: sent twice, it does its work once. Raises `FormForged`."""
        key = self.text("key")
        if len(key) > KEY_CHARACTERS_MAX or not (key.isascii() and key.isprintable()):
            raise _forged("key", "It is none that a form of ours has.")
        return key or str(uuid.uuid4())

    @property
    def version(self) -> int | None:
        """Of what the form was filled in about."""
        return self.number("version")

    @property
    def fields(self) -> dict[str, str]:
        return {name: value for name, value in self._form.items() if isinstance(value, str)}


def _forged(name: str, reason: str) -> FormForged:
    return FormForged(
        "This form is not as the page had made it: load the page again.", errors=[FieldError(name, reason)]
    )
