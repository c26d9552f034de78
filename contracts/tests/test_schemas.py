"""What is generated from the contracts is what is in the repository, and breaks nothing that was ever released."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts import generate
from contracts.catalogue import EVENTS, MESSAGES
from contracts.generate import EXAMPLES, RELEASED, ROOT, SCHEMAS, as_text
from contracts.schema import schemas
from contracts.topics import SERVICES

CURRENT = schemas()
PLACED = "order.placed.v1"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of what the generator reads and writes."""
    for folder in ("docs", *map(str, (SCHEMAS, EXAMPLES, RELEASED))):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "contracts/pyproject.toml", tmp_path / "contracts")
    return tmp_path


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_has_a_frozen_schema_equal_to_the_generated_one(name: str) -> None:
    Draft202012Validator.check_schema(CURRENT[name])
    assert (ROOT / SCHEMAS / f"{name}.json").read_text(encoding="utf-8") == as_text(CURRENT[name])


def test_everything_generated_is_in_the_repository() -> None:
    assert list(generate.differing_files(generate.generated(CURRENT))) == []


def test_no_schema_breaks_any_version_that_was_released() -> None:
    assert generate.breaks_of_released(CURRENT) == []


def test_there_is_a_released_version_and_it_holds_schemas() -> None:
    versions = list((ROOT / RELEASED).iterdir())
    assert versions
    assert all(list(version.glob("*.json")) for version in versions)


def test_every_version_counts_not_only_the_last(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A field that came with 0.2.0 and went with 0.3.0 is missed by those who learnt of it from 0.2.0."""
    for version in ("0.2.0", "0.3.0"):
        shutil.copytree(repository / RELEASED / "0.1.0", repository / RELEASED / version)
    _change(repository / RELEASED / "0.2.0" / f"{PLACED}.json", lambda schema: schema["properties"].update(colour={}))
    assert generate.main(["--check"], repository) == 1
    assert "order.placed.v1/colour: the field was removed since 0.2.0" in capsys.readouterr().err


def test_a_message_that_was_released_never_goes(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / RELEASED / "0.1.0/order.forgotten.v1.json").write_text("{}")
    assert generate.main([], repository) == 1
    assert "order.forgotten.v1 is gone since 0.1.0" in capsys.readouterr().err


def test_nothing_is_written_when_a_released_schema_would_break(repository: Path) -> None:
    _change(repository / RELEASED / "0.1.0" / f"{PLACED}.json", lambda schema: schema["required"].remove("title"))
    (repository / "docs/events.md").unlink()
    assert generate.main([], repository) == 1
    assert not (repository / "docs/events.md").exists()


def test_what_was_released_is_not_released_again(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--release", "0.1.0"], repository) == 1
    assert "0.1.0 was released already" in capsys.readouterr().err


def test_check_names_each_file_that_differs_and_leaves_it(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited, missing, stray = "docs/events.md", f"{SCHEMAS}/{PLACED}.json", f"{SCHEMAS}/order.stray.v1.json"
    (repository / edited).write_text("edited by hand")
    (repository / missing).unlink()
    (repository / stray).write_text("{}")
    assert generate.main(["--check"], repository) == 1
    assert sorted(line.split()[0] for line in capsys.readouterr().err.splitlines()) == [missing, stray, edited]
    assert (repository / edited).read_text() == "edited by hand"


def test_generating_repairs_what_differs(repository: Path) -> None:
    (repository / "docs/asyncapi.json").unlink()
    (repository / SCHEMAS / "order.stray.v1.json").write_text("{}")
    assert generate.main([], repository) == 0
    assert generate.main(["--check"], repository) == 0
    assert not (repository / SCHEMAS / "order.stray.v1.json").exists()


def test_an_event_without_an_example_is_named(repository: Path) -> None:
    (repository / EXAMPLES / f"{PLACED}.json").unlink()
    with pytest.raises(SystemExit, match=r"order\.placed\.v1\.json is missing"):
        generate.main(["--check"], repository)


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = json.loads((ROOT / "docs/asyncapi.json").read_text(encoding="utf-8"))
    for reference in _references(document):
        file, _, path = reference.partition("#/")
        target: Any = json.loads((ROOT / "docs" / file).read_text(encoding="utf-8")) if file else document
        for step in filter(None, path.split("/")):
            target = target[step]


def test_every_message_is_on_one_channel_and_is_sent_by_its_teller_alone() -> None:
    document = json.loads((ROOT / "docs/asyncapi.json").read_text(encoding="utf-8"))
    on_channels = [name for channel in document["channels"].values() for name in channel["messages"]]
    assert sorted(on_channels) == sorted(MESSAGES)
    for name, message in MESSAGES.items():
        reference = {"$ref": f"#/channels/{message.topic}/messages/{name}"}
        senders = [key for key, each in document["operations"].items() if reference in each.get("messages", ())]
        assert senders == [f"{message.teller}.send.{message.topic}"]


def test_every_service_tells_something_or_nothing_of_it_would_be_known() -> None:
    assert {event.teller for event in EVENTS.values()} == set(SERVICES)


def test_every_message_says_what_it_means() -> None:
    assert [name for name, schema in CURRENT.items() if not schema.get("description")] == []


def _change(path: Path, change: Any) -> None:
    schema = json.loads(path.read_text())
    change(schema)
    path.write_text(json.dumps(schema))


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [each for value in node.values() for each in _references(value)]
    return [each for value in node for each in _references(value)] if isinstance(node, list) else []
