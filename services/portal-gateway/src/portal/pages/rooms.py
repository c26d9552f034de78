"""The rooms of the house: which pages there are, and for whom."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.principal import Principal
from contracts import roles
from portal.pages.language import N_, Formats

MANAGERS = (roles.SALES_MANAGER, roles.GENERAL_MANAGER)
MAY: dict[str, Sequence[str]] = {
    "place orders": (roles.SALES, roles.SALES_MANAGER, roles.ADMINISTRATOR),
    "hold orders": (*MANAGERS, roles.PROJECT_MANAGER, roles.ADMINISTRATOR),
    "cancel orders": (*MANAGERS, roles.ADMINISTRATOR),
    "lead projects": (roles.PROJECT_MANAGER, roles.ADMINISTRATOR),
    "see money": (roles.FINANCE, roles.FINANCE_MANAGER, roles.GENERAL_MANAGER, roles.ADMINISTRATOR),
    "handle money": (roles.FINANCE, roles.FINANCE_MANAGER),
    "register clients": (roles.SALES, roles.SALES_MANAGER, roles.ADMINISTRATOR),
    "let people in": (roles.ADMINISTRATOR,),
    "mend the bus": (roles.OPERATOR, roles.ADMINISTRATOR),
}
"""What is offered to whom. Nothing is decided by it: each service asks for itself (docs/authorization.md)."""


@dataclass(frozen=True)
class Room:
    name: str
    path: str
    key: str = ""
    count: int = 0
    around: Sequence[str] = ()

    def is_around(self, path: str) -> bool:
        """Whether `path` is of a page further inside."""
        return any(path.startswith(each) for each in self.around)


def rooms_of(viewer: Principal, fmt: Formats, *, approvals: int) -> list[Room]:
    if viewer.kind == "client":
        return [Room(fmt.text(N_("Your orders")), "/", "g d", around=("/orders",))]
    found = [
        Room(fmt.text(N_("Desk")), "/", "g d"),
        Room(fmt.text(N_("Approvals")), "/approvals", "g a", count=approvals),
        Room(fmt.text(N_("Orders")), "/orders", "g o", around=("/orders/", "/board")),
        Room(fmt.text(N_("Tasks")), "/tasks", "g t"),
    ]
    if _may(viewer, "see money"):
        found.append(Room(fmt.text(N_("Money")), "/money", "g m", around=("/money/",)))
    if _may(viewer, "let people in") or _may(viewer, "mend the bus"):
        found.append(Room(fmt.text(N_("Office")), "/office", "g u", around=("/office/",)))
    return found


def _may(viewer: Principal, what: str) -> bool:
    return not viewer.roles.isdisjoint(MAY[what])
