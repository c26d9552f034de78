"""A short trial by faults, from a seed, as `make chaos` runs it: everything holds that has to (rules 39 and 40)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("chaos")

ROOT = Path(__file__).parents[2]
SEED = os.environ.get("SEED", "7")
PATIENCE_SECONDS = 280


def test_rules_39_and_40_hold_through_a_short_trial_by_faults() -> None:
    trial = [sys.executable, "-m", "chaos", "--seed", SEED, "--minutes", "0.5"]
    done = subprocess.run(trial, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
