"""A trace as a picture: a bar a span, below the one that caused it, over the time that it took."""

from collections.abc import Iterator, Sequence
from html import escape

from checks.sink import Span

WIDTH, LEFT, ROW = 1000, 380, 18
FONT = 'font-family="sans-serif" font-size="11"'
COLOURS = {"order": "#2563a8", "project": "#3f7d4f", "finance": "#a3652a", "notify": "#7a4f9a", "gateway": "#a83a50"}


def drawn(spans: Sequence[Span], root_id: str) -> str:
    """The SVG of the trace that hangs on `root_id`. Times are milliseconds after its first span began."""
    rows = list(_rows(spans, root_id))
    began = min(span.started_ns for _, span in rows)
    took = max(span.ended_ns for _, span in rows) - began
    height = ROW * (len(rows) + 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {FONT}>',
        f'<rect width="{WIDTH}" height="{height}" fill="#fbfbf9"/>',
        *_scale(took, height),
        *(bar for at, row in enumerate(rows) for bar in _bar(at + 1, *row, began=began, took=took)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _rows(spans: Sequence[Span], parent_id: str, depth: int = 0) -> Iterator[tuple[int, Span]]:
    for span in sorted(spans, key=lambda span: span.started_ns):
        if span.parent_id == parent_id:
            yield depth, span
            yield from _rows(spans, span.span_id, depth + 1)


def _scale(took: int, height: int) -> Iterator[str]:
    for quarter in range(5):
        x = LEFT + (WIDTH - LEFT - 60) * quarter / 4
        yield f'<path d="M{x:.0f} {ROW}V{height - ROW}" stroke="#ddd"/>'
        yield f'<text x="{x:.0f}" y="{ROW - 5}" fill="#666">{took / 1e6 * quarter / 4:.0f} ms</text>'


def _bar(at: int, depth: int, span: Span, *, began: int, took: int) -> Iterator[str]:
    y, scale = at * ROW, (WIDTH - LEFT - 60) / took
    x, width = LEFT + (span.started_ns - began) * scale, max((span.ended_ns - span.started_ns) * scale, 2)
    colour = COLOURS.get(span.service, "#555")
    name = escape(f"{span.service}: {span.name}")
    yield f'<text x="{8 + 10 * depth}" y="{y + 13}" fill="{colour}">{name}</text>'
    yield f'<rect x="{x:.1f}" y="{y + 4}" width="{width:.1f}" height="{ROW - 7}" rx="2" fill="{colour}"/>'
