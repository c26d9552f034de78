"""`orderloom topics`: what a deployment's Kafka is given."""

import argparse

import pytest

from chassis.ids import new_id
from contracts.topics import CATALOGUE
from orderloom.cli import main
from orderloom.commands import topics
from orderloom.parts import Parts


def test_the_topics_of_the_catalogue_are_made_once(
    parts: Parts, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"{new_id().hex}."
    monkeypatch.setenv("ORDERLOOM_TOPIC_PREFIX", prefix)
    arguments = ["topics", "--kafka", parts.bootstrap_servers, "--partitions", "3"]
    assert main(arguments) == 0
    made = capsys.readouterr().out
    assert made.count(prefix) == len(CATALOGUE) and "3 partitions" in made
    assert main(arguments) == 0
    assert "All are there" in capsys.readouterr().out


def test_a_broker_that_does_not_answer_is_named() -> None:
    parser = argparse.ArgumentParser()
    topics.add_arguments(parser)
    with pytest.raises(topics.BrokerAway, match=r"127\.0\.0\.1:1"):
        topics.run(parser.parse_args(["--kafka", "127.0.0.1:1", "--patience", "0"]))
