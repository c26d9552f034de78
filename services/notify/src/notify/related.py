"""Everyone who has to do with one order, by what they have to do with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.clock import business_date
from chassis.errors import NotYetKnown
from contracts.directory import OrderTypePublished, Stage
from contracts.event import Labels
from contracts.roles import FINANCE, PROJECT_MANAGER
from notify.models import KnownTask, OrderAudience
from notify.people import People, Person

OrderTypes = Mapping[tuple[str, int], OrderTypePublished]
"""By code and version."""


@dataclass(frozen=True)
class Related:
    """The people of one order at one moment, and what its texts call things."""

    order: OrderAudience
    people: People
    order_types: OrderTypes
    zone: ZoneInfo

    @property
    def requester(self) -> Sequence[Person]:
        return self.people.by_actor(self.order.requester)

    @property
    def client(self) -> Sequence[Person]:
        """The people of the client company on the order."""
        return self.people.of_client(self.order.client_id)

    @property
    def finance(self) -> Sequence[Person]:
        return self.people.holders(FINANCE)

    @property
    def manager(self) -> Sequence[Person]:
        """The project's manager; every project manager, when it has none who is there; nobody before the project."""
        if not self.order.has_project:
            return ()
        named = self.people.by_id(self.order.manager_id) if self.order.manager_id else ()
        return named or self.people.holders(PROJECT_MANAGER)

    def holders(self, role: str) -> Sequence[Person]:
        return self.people.holders(role)

    def next_approvers(self, role: str) -> Sequence[Person]:
        """Who may decide a step of `role`: never the requester."""
        return self.without(self.order.requester, self.holders(role))

    def assignee(self, task: KnownTask) -> Sequence[Person]:
        if task.assignee:
            return self.people.by_id(task.assignee)
        return self.holders(task.queue) if task.queue else ()

    def without(self, actor: str, *groups: Iterable[Person]) -> Sequence[Person]:
        """All of `groups` but the one who did it."""
        user_id = actor.partition(":")[2]
        return [person for group in groups for person in group if person.user_id != user_id]

    def stage(self, code: str) -> Stage:
        """Nobody's and named by its code when only a later version, which has it no more, is known."""
        unnamed = Stage(code=code, name=Labels(zh=code, en=code), owner_role="", exits=())
        return next((stage for stage in self._order_type.stages if stage.code == code), unnamed)

    def milestone_name(self, code: str) -> Labels:
        unnamed = Labels(zh=code, en=code)
        return next((each.name for each in self._order_type.milestones if each.code == code), unnamed)

    def owners_of_exit(self, fact: str) -> Sequence[Person]:
        """Those who own a stage that waits for `fact`."""
        roles = {stage.owner_role for stage in self._order_type.stages if fact in stage.exits}
        return [person for role in sorted(roles) for person in self.holders(role)]

    def task(self, task_id: UUID) -> KnownTask:
        """Raises `TaskNeverPlanned`."""
        return self.order.task(task_id)

    def business_date(self, instant: datetime) -> date:
        return business_date(instant, self.zone)

    @property
    def _order_type(self) -> OrderTypePublished:
        """The version that the order was born with, or the next one that the compacted topic has left.

        Raises `NotYetKnown`.
        """
        wanted = self.order.order_type, self.order.type_version
        later = [key for key in self.order_types if key[0] == wanted[0] and key >= wanted]
        if not later:
            raise NotYetKnown(f"Order type {wanted[0]}, version {wanted[1]}, is not known yet.")
        return self.order_types[min(later)]
