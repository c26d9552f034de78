"""Which platform a command asks, and by whose password."""

from argparse import Namespace
from pathlib import Path

import pytest

from chassis.environment import SECRETS_FOLDER
from orderloom.commands.administrator import NotRunning, where
from orderloom.folder import DataFolder


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Namespace:
    monkeypatch.delenv("ORDERLOOM_ADMIN_PASSWORD", raising=False)
    return Namespace(gateway="http://gateway:8000", folder=DataFolder(tmp_path / "nothing"))


def test_a_gateway_that_is_named_is_asked_with_the_password_of_the_environment(
    elsewhere: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERLOOM_ADMIN_PASSWORD", "word")
    assert where(elsewhere) == ("http://gateway:8000", "word")


def test_the_password_can_come_from_a_file(
    elsewhere: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ORDERLOOM_ADMIN_PASSWORD").write_text("from a file")
    monkeypatch.setenv(SECRETS_FOLDER, str(tmp_path))
    assert where(elsewhere) == ("http://gateway:8000", "from a file")


def test_a_gateway_without_a_password_is_refused_with_what_to_do(elsewhere: Namespace) -> None:
    with pytest.raises(NotRunning, match="ORDERLOOM_ADMIN_PASSWORD"):
        where(elsewhere)


def test_without_a_gateway_the_stack_in_the_folder_has_to_run(elsewhere: Namespace) -> None:
    elsewhere.gateway = None
    with pytest.raises(NotRunning, match="orderloom up"):
        where(elsewhere)
