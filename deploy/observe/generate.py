"""Writes what is generated: `PYTHONPATH=deploy python -m observe.generate [--check] [--prometheus-rule FILE]`."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from observe.boards import DASHBOARDS

HERE = Path(__file__).parent
RULES = HERE / "rules" / "orderloom.yaml"
PROMETHEUS_RULE = """\
# Generated from deploy/observe/rules/orderloom.yaml: change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: orderloom
spec:
"""


def main() -> int:
    """1 when --check finds a file that is not what would be written, or one too many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, say what is not up to date")
    parser.add_argument("--prometheus-rule", type=Path, metavar="FILE", help="the alerts for its operator too")
    arguments = parser.parse_args()
    wanted = dashboards() | ({arguments.prometheus_rule: prometheus_rule()} if arguments.prometheus_rule else {})
    outdated = [file for file, text in wanted.items() if not file.exists() or file.read_text() != text]
    surplus = [file for file in (HERE / "dashboards").glob("*") if file not in wanted]
    if not arguments.check:
        _write(wanted)
        for file in surplus:
            file.unlink()
        return 0
    for file in (*outdated, *surplus):
        print(f"{file} is not what would be generated: run `make dashboards`.", file=sys.stderr)
    return 1 if outdated or surplus else 0


def dashboards() -> dict[Path, str]:
    """By file."""
    return {
        HERE / "dashboards" / f"{each.uid}.json": json.dumps(each.json(), indent=1, ensure_ascii=False) + "\n"
        for each in DASHBOARDS
    }


def prometheus_rule() -> str:
    """The rules, to the letter, in the resource of the Prometheus operator."""
    lines = RULES.read_text().splitlines(keepends=True)
    return PROMETHEUS_RULE + "".join(f"  {line}" if line.strip() else line for line in lines)


def _write(files: Mapping[Path, str]) -> None:
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
