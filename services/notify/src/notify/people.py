"""People as notices need them: what they are called, which language they read, where they belong."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

DEFAULT_LOCALE = "zh-CN"
"""Of a person who is named by a fact, and whom the directory has not told of yet."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Someone who may be told something."""

    user_id: str
    name: str
    locale: str
    has_address: bool
    """Whether an e-mail address is known."""
    roles: tuple[str, ...] = ()
    client_id: UUID | None = None
    """The client company of a person who is none of ours."""
    is_active: bool = True

    @property
    def is_client(self) -> bool:
        return self.client_id is not None


class People:
    """Everyone known at one moment. Nobody who may not sign in is ever found."""

    def __init__(self, everyone: Iterable[Person]) -> None:
        self._by_id = {person.user_id: person for person in everyone}
        self._by_role: dict[str, list[Person]] = defaultdict(list)
        self._by_client: dict[UUID, list[Person]] = defaultdict(list)
        for person in filter(lambda person: person.is_active, self._by_id.values()):
            if person.client_id is not None:
                self._by_client[person.client_id].append(person)
                continue
            for role in person.roles:
                self._by_role[role].append(person)

    def holders(self, role: str) -> Sequence[Person]:
        """People of the company who hold `role`."""
        return self._by_role.get(role, ())

    def of_client(self, client_id: UUID) -> Sequence[Person]:
        return self._by_client.get(client_id, ())

    def by_id(self, user_id: str) -> Sequence[Person]:
        """The person, or nobody. One of the company who is not known yet is told all the same: the e-mail waits."""
        person = self._by_id.get(user_id) or Person(
            user_id=user_id, name=user_id, locale=DEFAULT_LOCALE, has_address=False
        )
        return (person,) if person.is_active else ()

    def by_actor(self, actor: str) -> Sequence[Person]:
        """The person behind an actor, or nobody: a system reads nothing, an unknown client might read too much."""
        kind, _, user_id = actor.partition(":")
        return self.by_id(user_id) if kind == "user" or (kind == "client" and user_id in self._by_id) else ()

    def name_of(self, actor: str) -> str:
        """As people call them; the id of a system, or of someone who is not known yet."""
        user_id = actor.partition(":")[2]
        return self._by_id[user_id].name if user_id in self._by_id else user_id
