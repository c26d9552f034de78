import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from chassis.environment import SECRETS_FOLDER, Told, WrongSettings, told
from chassis.settings import ServiceSettings


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


WRONG = {
    "ORDERLOOM_DATABASE_URL": "mysql://root:hunter2@db/order",
    "ORDERLOOM_KAFKA_BOOTSTRAP_SERVERS": "kafka",
    "ORDERLOOM_ZONE": "Asia/Shangai",
    "ORDERLOOM_PORT": "80000",
    "ORDERLOOM_LOG_LEVEL": "loud",
    "ORDERLOOM_TRACE_RATIO": "5.25",
}


def test_what_is_told_wrongly_is_named_all_of_it_and_no_value_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in WRONG.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings) as refused:
        told(ServiceSettings)
    lines = str(refused.value).splitlines()
    assert sorted(line.partition(":")[0] for line in lines) == sorted(WRONG)
    assert [value for value in (*WRONG.values(), "hunter2") if value in str(refused.value)] == []


def test_a_service_that_is_told_too_little_ends_at_once_and_says_what_is_missing() -> None:
    started = subprocess.run(
        [sys.executable, "-m", "order.app", "api"], env={"PATH": ""}, capture_output=True, text=True, timeout=60
    )
    assert started.returncode == 1
    assert started.stderr.splitlines() == [
        "The order service cannot start with what it is told.",
        "ORDERLOOM_KAFKA_BOOTSTRAP_SERVERS: Field required",
        "ORDERLOOM_DATABASE_URL: Field required",
    ]
