"""Who is asking: a person of the company, a person at a client company, or a system."""

from dataclasses import dataclass, field
from uuid import UUID

from chassis.errors import Forbidden


class NotAllowed(Forbidden):
    """The person or system is known, and may not do this."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who is asking, as their token says."""

    user_id: str
    kind: str = "user"
    """`user` (of the company), `client` (a person at a client company) or `integration` (a system)."""
    roles: frozenset[str] = frozenset()
    """Of a person; the scopes of a system."""
    client_id: UUID | None = None
    token_id: str | None = field(default=None, compare=False)
    issued_at: float = field(default=0.0, compare=False)
    """Of the token, in seconds since 1970: who lets tokens be taken back compares it."""

    @property
    def actor(self) -> str:
        """As facts name it."""
        return f"{self.kind}:{self.user_id}"

    def must_hold(self, *roles: str) -> None:
        """Raises `NotAllowed` unless the principal holds one of `roles`."""
        if self.roles.isdisjoint(roles):
            raise NotAllowed(f"This needs one of the roles {', '.join(roles)}: ask someone who has it.")
