"""One line of the table: what was measured, against what, and whether that is enough."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`goal` is of the ratio `value` / `against`, or of the value itself where the goal was set so."""

    what: str
    value: float
    unit: str
    against: float
    """In the same unit."""
    against_what: str
    goal: float
    bound: Literal["at least", "at most"]
    goal_is_of: Literal["ratio", "value"] = "ratio"

    @property
    def ratio(self) -> float:
        return self.value / self.against

    @property
    def holds(self) -> bool:
        reached = self.ratio if self.goal_is_of == "ratio" else self.value
        return reached >= self.goal if self.bound == "at least" else reached <= self.goal

    @property
    def goal_in_words(self) -> str:
        unit = "×" if self.goal_is_of == "ratio" else f" {self.unit}"
        return f"{'≥' if self.bound == 'at least' else '≤'} {self.goal:g}{unit}"


@dataclass(frozen=True)
class Measurement:
    """What one bench found. `details` is for who wants to know more: spreads, parts, counts."""

    figures: list[Figure]
    details: dict[str, Any] = field(default_factory=dict)
