"""Who gets the work: of those who may do it, the one who has the least to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.project import Person


@dataclass(frozen=True)
class Member:
    """Someone who can be given work."""

    person: Person
    roles: frozenset[str]
    skills: frozenset[str]


@dataclass(frozen=True)
class Team:
    """The members, and how many days of open tasks each of them has: counted up with every task given."""

    members: Sequence[Member]
    open_days: dict[str, int]

    def give(self, *, role: str, skill: str | None, days: int) -> Person | None:
        """The owner of a task of `days`: least loaded of those with the role and the skill, else with the role."""
        person = self.least_loaded(role, skill)
        if person is not None:
            self.load(person, days)
        return person

    def least_loaded(self, role: str, skill: str | None = None) -> Person | None:
        """None when nobody holds the role. Of equals, the first by id."""
        able = [member for member in self.members if role in member.roles]
        skilled = [member for member in able if skill in member.skills]
        people = [member.person for member in skilled or able]
        return min(people, key=lambda person: (self.open_days.get(person.id, 0), person.id), default=None)

    def load(self, person: Person, days: int) -> None:
        self.open_days[person.id] = self.open_days.get(person.id, 0) + days
