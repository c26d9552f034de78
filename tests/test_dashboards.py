"""Dashboards are what their source says, and ask for what is really told."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_alerts import METRIC, unknown_metrics

from contracts.catalogue import EVENTS

FOLDER = Path(__file__).parents[1] / "deploy" / "observe" / "dashboards"
PANELS = [
    pytest.param(panel, id=f"{file.stem}: {panel['title']}")
    for file in sorted(FOLDER.glob("*.json"))
    for panel in json.loads(file.read_text())["panels"]
]
EACH_PANEL = pytest.mark.parametrize("panel", PANELS)


def test_there_are_dashboards() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == {
        "orderloom-business",
        "orderloom-flow",
        "orderloom-resources",
    }


@EACH_PANEL
def test_every_query_of_a_dashboard_asks_for_what_is_told(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        assert METRIC.search(target["expr"])
        assert unknown_metrics(target["expr"]) == set()


@EACH_PANEL
def test_every_type_of_fact_that_a_dashboard_counts_is_one(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        for written in target["expr"].split('type="')[1:]:
            assert written.partition('"')[0] in EVENTS
