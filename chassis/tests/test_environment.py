from pathlib import Path

import pytest
from pydantic import SecretStr

from chassis.environment import SECRETS_FOLDER, Told


class Known(Told):
    word: SecretStr = SecretStr("")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(SECRETS_FOLDER, str(tmp_path))
    return tmp_path


def test_a_secret_is_read_from_the_file_of_its_name_without_the_line_break(folder: Path) -> None:
    (folder / "ORDERLOOM_WORD").write_text("from a file\n")
    assert Known().word.get_secret_value() == "from a file"


def test_the_environment_goes_before_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "ORDERLOOM_WORD").write_text("from a file")
    monkeypatch.setenv("ORDERLOOM_WORD", "from the environment")
    assert Known().word.get_secret_value() == "from the environment"


def test_a_folder_that_is_named_and_not_there_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRETS_FOLDER, str(folder / "missing"))
    with pytest.raises(NotADirectoryError, match="missing"):
        Known()


def test_a_folder_without_the_file_leaves_the_default(folder: Path) -> None:
    assert Known().word.get_secret_value() == ""
