"""Known vulnerabilities of every package that is installed here, by pip-audit and the advisories of PyPI.

Where either cannot be reached nothing is known, and that is said loudly: the exit code is 0 then, or 1 with
AUDIT_STRICT=1. It is 1 when something is known to be vulnerable.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

UV = Path(sys.executable).parent / "uv"
PIP_AUDIT = "pip-audit==2.10.1"
SECONDS_MAX = 300


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        requirements, report = Path(folder, "requirements.txt"), Path(folder, "report.json")
        requirements.write_text(_run([str(UV), "pip", "freeze", "--exclude-editable"]).stdout)
        options = ["--disable-pip", "--no-deps", "--timeout", "10", "--format", "json", "--output", str(report)]
        ran = _run([str(UV), "tool", "run", PIP_AUDIT, "--requirement", str(requirements), *options])
        known = json.loads(report.read_text())["dependencies"] if report.is_file() and report.stat().st_size else []
    audited = [each for each in known if "vulns" in each]
    if not audited:  # pip-audit itself calls that a success
        return _skipped(known[0]["skip_reason"] if known else ran.stderr)
    vulnerable = [each for each in audited if each["vulns"]]
    for each in vulnerable:
        ids = ", ".join(vulnerability["id"] for vulnerability in each["vulns"])
        print(f"VULNERABLE: {each['name']} {each['version']}: {ids}")
    print(f"{len(audited)} packages audited, {len(vulnerable)} vulnerable.")
    unknown = [each["name"] for each in known if "vulns" not in each]
    if unknown:
        print(f"NOT AUDITED: {', '.join(unknown)}.")
    return 1 if vulnerable or (unknown and _is_strict()) else 0


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX)


def _skipped(reason: str) -> int:
    last = (reason.strip().splitlines() or ["no reason was given"])[-1]
    print("!" * 80)
    print("!! NOT AUDITED: pip-audit or the advisories cannot be reached from here.")
    print(f"!! {last[:200]}")
    print("!! Nothing is known about the packages that are installed. AUDIT_STRICT=1 makes this fail.")
    print("!" * 80)
    return 1 if _is_strict() else 0


def _is_strict() -> bool:
    return os.environ.get("AUDIT_STRICT") == "1"


if __name__ == "__main__":
    sys.exit(main())
