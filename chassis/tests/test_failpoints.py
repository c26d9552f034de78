"""Failpoints kill in a trial, and cannot be switched on in production."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.failpoints import BEFORE_MARK, Failpoints
from chassis.settings import ServiceSettings

REACH = """
import sys
from pathlib import Path
from chassis.failpoints import BEFORE_MARK, Failpoints
Failpoints(Path(sys.argv[1]), service="order").reach(BEFORE_MARK)
print("alive")
"""


def settings(**told: object) -> ServiceSettings:
    return ServiceSettings(database_url="postgresql+asyncpg://x", kafka_bootstrap_servers="x:1", **told)  # type: ignore[arg-type]


def test_failpoints_are_refused_with_production_settings(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="ORDERLOOM_ENVIRONMENT=trial"):
        settings(failpoints=tmp_path)
    assert settings(failpoints=tmp_path, environment="trial").failpoints == tmp_path


def test_an_armed_point_kills_the_first_process_that_reaches_it_and_no_other(tmp_path: Path) -> None:
    (tmp_path / f"order.{BEFORE_MARK}").touch()
    (tmp_path / f"finance.{BEFORE_MARK}").touch()
    outcomes = [
        subprocess.run([sys.executable, "-c", REACH, tmp_path], capture_output=True, check=False) for _ in range(2)
    ]
    assert [outcome.returncode for outcome in outcomes] == [-signal.SIGKILL, 0]
    assert [path.name for path in tmp_path.iterdir()] == [f"finance.{BEFORE_MARK}"]


def test_without_a_folder_nothing_is_looked_at() -> None:
    Failpoints(None, service="order").reach(BEFORE_MARK)
