import json
import socket
from pathlib import Path

import pytest

from orderloom import ports


def test_ports_are_kept(tmp_path: Path) -> None:
    first = ports.settle(tmp_path / "ports.json", {})
    assert set(first) == set(ports.NAMES)
    assert len(set(first.values())) == len(first)
    assert ports.settle(tmp_path / "ports.json", {}) == first


def test_a_kept_port_somebody_took_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    first = ports.settle(tmp_path / "ports.json", {})
    with socket.create_server(("127.0.0.1", first["kafka"])):
        second = ports.settle(tmp_path / "ports.json", {})
    assert second.pop("kafka") != first.pop("kafka")
    assert second == first


def test_a_wanted_port_is_given_also_when_another_part_had_it(tmp_path: Path) -> None:
    first = ports.settle(tmp_path / "ports.json", {})
    second = ports.settle(tmp_path / "ports.json", {"gateway": first["order"]})
    assert second["gateway"] == first["order"]
    assert second["order"] != first["order"]
    assert ports.load(tmp_path / "ports.json") == second


def test_a_wanted_port_somebody_took_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ports.PortTaken):
        ports.settle(tmp_path / "ports.json", {"gateway": other.getsockname()[1]})
    with pytest.raises(ports.PortTaken):
        ports.settle(tmp_path / "ports.json", {"gateway": 20_123, "order": 20_123})


def test_an_unknown_part_has_no_port() -> None:
    assert ports.assignment("gateway=8080") == ("gateway", 8080)
    for text in ("portal=8080", "gateway", "gateway=0", "gateway=x"):
        with pytest.raises(ValueError):
            ports.assignment(text)


def test_json_of_kept_ports_is_plain(tmp_path: Path) -> None:
    settled = ports.settle(tmp_path / "ports.json", {})
    assert json.loads((tmp_path / "ports.json").read_text()) == settled
