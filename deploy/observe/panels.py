"""What dashboards are made of, as Grafana reads it: panels on a grid of 24 columns, and the dashboard around them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SCHEMA_VERSION = 39
"""Grafana brings older ones up to its own when it loads them."""
COLUMNS, HEIGHT = 24, 8
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
SERVICE = "$service"
"""In a query: the services that were chosen at the top."""


@dataclass(frozen=True)
class Panel:
    """Queries by the legend of their lines. `unit` is Grafana's: `s`, `bytes`, `percentunit`, `reqps`, `short`."""

    title: str
    queries: dict[str, str]
    says: str
    """What a reader learns, and what is no longer good."""
    unit: str = "short"
    width: int = 8
    is_stacked: bool = False
    is_number: bool = False
    """One large number instead of lines over time."""

    def json(self, number: int, *, x: int, y: int) -> dict[str, Any]:
        custom = {"stacking": {"mode": "normal" if self.is_stacked else "none"}, "fillOpacity": 10}
        return {
            "id": number,
            "type": "stat" if self.is_number else "timeseries",
            "title": self.title,
            "description": self.says,
            "datasource": PROMETHEUS,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": self.unit, "min": 0, "custom": custom}, "overrides": []},
            "options": {} if self.is_number else {"legend": {"displayMode": "list", "placement": "bottom"}},
            "targets": [
                {"refId": chr(ord("A") + index), "datasource": PROMETHEUS, "expr": query, "legendFormat": legend}
                for index, (legend, query) in enumerate(self.queries.items())
            ],
        }


@dataclass(frozen=True)
class Dashboard:
    """`uid` is its address, and that of its file."""

    uid: str
    title: str
    panels: Sequence[Panel]
    has_services: bool = True
    """Whether its readers choose services."""
    tags: Sequence[str] = field(default=("orderloom",))

    def json(self) -> dict[str, Any]:
        return {
            "uid": self.uid,
            "title": self.title,
            "tags": list(self.tags),
            "schemaVersion": SCHEMA_VERSION,
            "editable": False,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "timezone": "browser",
            "templating": {"list": [_services()] if self.has_services else []},
            "panels": self._placed(),
        }

    def _placed(self) -> list[dict[str, Any]]:
        """From left to right, in rows."""
        placed, x, y = [], 0, 0
        for number, panel in enumerate(self.panels, start=1):
            if x + panel.width > COLUMNS:
                x, y = 0, y + HEIGHT
            placed.append(panel.json(number, x=x, y=y))
            x += panel.width
        return placed


def _services() -> dict[str, Any]:
    query = "label_values(orderloom_build_info, service)"
    return {
        "name": "service",
        "type": "query",
        "datasource": PROMETHEUS,
        "definition": query,
        "query": {"query": query, "refId": "services"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
    }
