"""How figures are shown and kept: a table for people, a file a bench for whoever compares."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Column, Table

from bench.figure import Figure, Measurement

RESULTS = Path(__file__).parent / "results"
WIDTH_MIN = 170


def show(measurements: Mapping[str, Measurement]) -> None:
    """All in one table, by id."""
    right = {"justify": "right"}
    table = Table(
        "id",
        Column("what", overflow="fold"),
        Column("figure", **right),  # type: ignore[arg-type]
        Column("measured against", overflow="fold"),
        Column("", **right),  # type: ignore[arg-type]
        Column("goal", **right),  # type: ignore[arg-type]
        Column("ratio", **right),  # type: ignore[arg-type]
        "holds",
        box=box.SIMPLE,
    )
    for bench_id, measurement in measurements.items():
        for figure in measurement.figures:
            table.add_row(bench_id, *_cells(figure))
    console = Console()
    console.width = max(console.width, WIDTH_MIN)  # a file and a log have no width of their own
    console.print(table)


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.what,
        f"{_short(figure.value)} {figure.unit}",
        figure.against_what,
        _short(figure.against),
        figure.goal_in_words,
        _short(figure.ratio),
        "yes" if figure.holds else "no",
    )


def _short(value: float) -> str:
    """Three digits that count, and no more pretence of exactness."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def as_document(bench_id: str, measurement: Measurement, *, seconds: float) -> dict[str, Any]:
    figures = [
        {
            "what": figure.what,
            "value": round(figure.value, 4),
            "unit": figure.unit,
            "against": round(figure.against, 4),
            "against_what": figure.against_what,
            "ratio": round(figure.ratio, 4),
            "goal": figure.goal_in_words,
            "holds": figure.holds,
        }
        for figure in measurement.figures
    ]
    return {"id": bench_id, "seconds": seconds, "figures": figures, "details": measurement.details}


def keep(name: str, document: Mapping[str, Any]) -> Path:
    """Write `bench/results/<name>.json`."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return file
