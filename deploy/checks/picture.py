"""A trace as a picture: a bar a span, below the one that caused it, over the time that it took."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from checks.sink import Span

WIDTH, LEFT, RIGHT, TOP, ROW, INDENT = 1120, 430, 70, 74, 22, 18
FONT = 'font-family="\'Helvetica Neue\', Helvetica, Arial, sans-serif" font-size="12"'
COLOURS = {"gateway": "#b5445a", "order": "#2f6db5", "project": "#3d8b57", "finance": "#b9772c", "notify": "#7d57a6"}
INK, PALE, LINE = "#23272e", "#7b828c", "#d9dce1"


@dataclass(frozen=True)
class Row:
    """Of the picture, numbered from above. `parent` is the number of the row that caused it."""

    number: int
    depth: int
    parent: int | None
    span: Span

    @property
    def y(self) -> int:
        return TOP + self.number * ROW

    @property
    def x(self) -> int:
        return 20 + self.depth * INDENT

    @property
    def colour(self) -> str:
        return COLOURS.get(self.span.service, INK)


@dataclass(frozen=True)
class Clock:
    began_ns: int
    took_ns: int

    def x(self, at_ns: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (at_ns - self.began_ns) / self.took_ns


def drawn(spans: Sequence[Span], root_id: str) -> str:
    """The SVG of the trace that hangs on `root_id`. Times are milliseconds after its first span began."""
    rows: list[Row] = []
    _place(rows, spans, root_id)
    began = min(row.span.started_ns for row in rows)
    clock = Clock(began, max(row.span.ended_ns for row in rows) - began)
    height = TOP + len(rows) * ROW + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {FONT}>',
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#fff" stroke="{LINE}"/>',
        *_legend(),
        *_scale(clock, height),
        *(part for row in rows if row.parent is not None for part in _branch(row, rows[row.parent])),
        *(part for row in rows for part in _bar(row, clock)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _place(rows: list[Row], spans: Sequence[Span], parent_id: str, parent: Row | None = None) -> None:
    """Below each span, indented, what it caused, in the order in which it began."""
    for span in sorted(spans, key=lambda span: span.started_ns):
        if span.parent_id == parent_id:
            depth, above = (parent.depth + 1, parent.number) if parent else (0, None)
            rows.append(row := Row(len(rows), depth, above, span))
            _place(rows, spans, span.span_id, row)


def _legend() -> Iterator[str]:
    for at, (service, colour) in enumerate(COLOURS.items()):
        x = 26 + at * 80
        yield f'<circle cx="{x}" cy="27" r="5" fill="{colour}"/><text x="{x + 10}" y="31" fill="{INK}">{service}</text>'


def _scale(clock: Clock, height: int) -> Iterator[str]:
    for quarter in range(5):
        at = clock.began_ns + clock.took_ns * quarter // 4
        x, milliseconds = clock.x(at), (at - clock.began_ns) / 1e6
        yield f'<path d="M{x:.0f} {TOP - 14}V{height - 12}" stroke="{LINE}" stroke-dasharray="2 3"/>'
        yield f'<text x="{x:.0f}" y="{TOP - 20}" fill="{PALE}" text-anchor="middle">{milliseconds:.0f} ms</text>'


def _branch(row: Row, parent: Row) -> Iterator[str]:
    """From the cause down and across to its effect."""
    yield (
        f'<path d="M{parent.x} {parent.y + 14}V{row.y + 4}Q{parent.x} {row.y + 10} {parent.x + 5} {row.y + 10}'
        f'H{row.x - 6}" fill="none" stroke="{LINE}"/>'
    )


def _bar(row: Row, clock: Clock) -> Iterator[str]:
    began, ended = clock.x(row.span.started_ns), clock.x(row.span.ended_ns)
    width, milliseconds = max(ended - began, 3), (row.span.ended_ns - row.span.started_ns) / 1e6
    consumer, _, fact = row.span.name.partition(" ")
    is_request = not fact or fact.startswith("/")
    name, who = (row.span.name, row.span.service) if is_request else (fact, consumer)
    text, y = row.y + 14, row.y + 4
    yield f'<circle cx="{row.x}" cy="{row.y + 10}" r="4" fill="{row.colour}"/>'
    yield (
        f'<text x="{row.x + 9}" y="{text}" fill="{INK}">{escape(name)}'
        f'<tspan dx="7" font-size="11" fill="{row.colour}">{escape(who)}</tspan></text>'
    )
    yield f'<rect x="{began:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 10}" rx="3" fill="{row.colour}"/>'
    yield f'<text x="{began + width + 5:.1f}" y="{text}" fill="{PALE}" font-size="11">{milliseconds:.1f}</text>'
