"""The tree of causes, as it is printed."""

from typing import Any

from rich.console import Console

from orderloom.commands.trace import tree_of


def fact(position: int, cause: int | None, **changes: Any) -> dict[str, Any]:
    return {
        "position": position,
        "event_id": f"event-{position}",
        "type": f"thing.happened_{position}.v1",
        "teller": "project",
        "actor": "system:project",
        "time": "2026-11-23T12:00:00+00:00",
        "cause_id": f"event-{cause}" if cause else "request-1",
        "cause_position": cause,
        "ms_since_cause": 12_345 if cause else None,
    } | changes


def lines(facts: list[dict[str, Any]]) -> list[str]:
    tree, depth = tree_of(facts, title="SO-000001")
    console = Console(width=depth * 4 + 160)
    with console.capture() as captured:
        console.print(tree)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_effects_stand_under_their_causes_and_facts_of_one_request_side_by_side() -> None:
    shown = lines([fact(1, None, actor="user:wang"), fact(2, None, actor="user:wang"), fact(3, 1), fact(4, 2)])
    assert shown == [
        "SO-000001",
        "└── a request of user:wang, at 2026-11-23T12:00:00 (request-1)",
        "    ├──   1 thing.happened_1.v1  project  user:wang",
        "    │   └──   3 thing.happened_3.v1  project  +12,345 ms",
        "    └──   2 thing.happened_2.v1  project  user:wang",
        "        └──   4 thing.happened_4.v1  project  +12,345 ms",
    ]


def test_a_chain_of_two_thousand_causes_is_printed_whole() -> None:
    shown = lines([fact(number, number - 1 or None) for number in range(1, 2001)])
    assert len(shown) == 2002
    assert shown[-1].strip() == "└── 2000 thing.happened_2000.v1  project  +12,345 ms"
