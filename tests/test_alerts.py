"""Every alert is proven, has a page that says what to do, and asks for what is really told."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, Metric

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "deploy" / "observe" / "rules"
RUNBOOKS = ROOT / "docs" / "runbooks"
TELLING = ("chassis.application", "notify.backlog", "portal.figures")
"""Where metrics are made: importing them registers all."""
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FOLDER / "orderloom.yaml").read_text())["groups"] for rule in group["rules"]
]
TESTED = [test["name"] for file in FOLDER.glob("tests*.yaml") for test in yaml.safe_load(file.read_text())["tests"]]
EACH_ALERT = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
METRIC = re.compile(r"\b(?:orderloom|process|python)_[a-z_]+\b")


def exported() -> set[str]:
    """The names that a scrape shows, also of what has no value yet."""
    for module in TELLING:
        import_module(module)
    return {name for metric in REGISTRY.collect() for name in _names(metric)}


def _names(metric: Metric) -> set[str]:
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(metric.type, ("",))
    return {metric.name + suffix for suffix in suffixes}


def unknown_metrics(query: str) -> set[str]:
    return set(METRIC.findall(query)) - exported()


@EACH_ALERT
def test_every_alert_is_seen_to_fire_and_to_be_quiet(alert: dict[str, Any]) -> None:
    assert {f"{alert['alert']} fires", f"{alert['alert']} is quiet"} <= set(TESTED)


@EACH_ALERT
def test_every_alert_has_a_page_that_names_it_and_stands_in_the_index(alert: dict[str, Any]) -> None:
    page = ROOT / alert["annotations"]["runbook"]
    assert alert["alert"] in page.read_text()
    index = (RUNBOOKS / "README.md").read_text()
    (row,) = [line for line in index.splitlines() if f"`{alert['alert']}`" in line]
    assert f"({page.name})" in row


@EACH_ALERT
def test_every_alert_asks_for_what_is_told(alert: dict[str, Any]) -> None:
    assert METRIC.search(alert["expr"])
    assert unknown_metrics(alert["expr"]) == set()


@EACH_ALERT
def test_every_alert_says_who_looks_when_and_what_it_means(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert {"summary", "description", "within", "runbook"} <= alert["annotations"].keys()


def test_no_test_is_of_an_alert_that_is_gone() -> None:
    assert {name.split()[0] for name in TESTED} == {alert["alert"] for alert in ALERTS}


def test_a_metric_that_nobody_tells_is_noticed() -> None:
    assert unknown_metrics("rate(orderloom_applied_facts_total[5m]) + orderloom_wishes") == {"orderloom_wishes"}
