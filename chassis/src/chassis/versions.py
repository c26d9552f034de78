"""Nobody overwrites what they have not seen (rule 35)."""

from chassis.errors import Conflict, Refusal


class StaleVersion(Conflict):
    """Someone changed it after the caller read it."""


class PreconditionFailed(Refusal):
    """As `StaleVersion`, when the caller said with `If-Match` what it had read."""

    status = 412


class Expected:
    """The version that the caller has read: from `If-Match`, or from the body. None: whatever it is now."""

    def __init__(self, version: int | None, *, by_header: bool) -> None:
        self._version = version
        self._by_header = by_header

    def check(self, actual: int) -> None:
        """Raises `PreconditionFailed` (412) or `StaleVersion` (409) when the caller has read another version."""
        if self._version is None or self._version == actual:
            return
        message = f"It is at version {actual} now, not {self._version}: read it again, then decide."
        raise PreconditionFailed(message) if self._by_header else StaleVersion(message)


def etag(version: int) -> dict[str, str]:
    """The header that a later `If-Match` repeats."""
    return {"ETag": f'"{version}"'}
