"""The audit of dependencies says so, loudly, where it knows nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

AUDIT = Path(__file__).parents[2] / ".ci" / "audit.py"


@pytest.mark.parametrize(("strict", "code"), [("", 0), ("1", 1)])
def test_an_audit_that_reaches_nobody_says_that_nothing_is_known(strict: str, code: int, tmp_path: Path) -> None:
    unreachable = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path), "AUDIT_STRICT": strict}
    ran = subprocess.run(
        [sys.executable, str(AUDIT)], capture_output=True, text=True, timeout=60, env=os.environ | unreachable
    )
    assert (ran.returncode, "NOT AUDITED" in ran.stdout) == (code, True), ran.stdout + ran.stderr
