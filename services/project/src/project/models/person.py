"""People of the company: what they may do comes with the user, what they know and cost is kept here."""

from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from chassis.errors import Conflict, NotFound
from contracts.directory import User
from contracts.project import Person as PersonRef
from project.models.model import Model
from project.team import Member


class PersonNotFound(NotFound): ...


class PersonNotActive(Conflict): ...


class PersonLacksRole(Conflict): ...


class Person(Model):
    """A user of the company. Who may no longer sign in gets no work."""

    __tablename__ = "people"

    user_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    roles: Mapped[list[Any]]
    is_active: Mapped[bool]
    skills: Mapped[list[Any]]
    cost_per_hour: Mapped[Decimal | None]
    currency: Mapped[str | None]

    @classmethod
    def of(cls, user: User) -> "Person":
        person = cls(user_id=user.user_id, skills=[], cost_per_hour=None, currency=None)
        person.follow(user)
        return person

    def follow(self, user: User) -> None:
        """Be as the user is now. A user of a client company is nobody to give work to."""
        self.name, self.roles = user.name, list(user.roles)
        self.is_active = user.active and user.client_id is None

    def must_be_able(self, role: str) -> None:
        """Raises `PersonNotActive`, `PersonLacksRole`."""
        if not self.is_active:
            raise PersonNotActive(f"{self.name} cannot sign in any more: name someone else.")
        if role not in self.roles:
            raise PersonLacksRole(f"{self.name} is no {role}: name someone who is.")

    @property
    def ref(self) -> PersonRef:
        return PersonRef(id=self.user_id, name=self.name)

    @property
    def member(self) -> Member:
        return Member(self.ref, frozenset(self.roles), frozenset(self.skills))
