"""What the image is built from is there when it is built."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def copied_in(stage: str) -> list[tuple[Path, Path]]:
    """From where in the repository to where in the image, in one stage of the Dockerfile."""
    found, present = [], ""
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        match line.split():
            case ["FROM", _, "AS", name]:
                present = name
            case ["COPY", source, target] if present == stage:
                found.append((Path(source), Path(target)))
    return found


def test_the_image_builds_scripts_and_icons_from_what_it_copies(tmp_path: Path) -> None:
    for source, target in copied_in("pages"):
        there = tmp_path / target.relative_to("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, there, ignore=shutil.ignore_patterns("node_modules"))
        else:
            shutil.copy2(ROOT / source, there)
    pages = tmp_path / "pages" / "pages"
    (pages / "node_modules").symlink_to(ROOT / "services" / "portal-gateway" / "pages" / "node_modules")
    built = subprocess.run([sys.executable, pages / "build.py"], env=os.environ | {"CI": "1"}, capture_output=True)
    assert built.returncode == 0, built.stderr.decode()
    made = {file.name for file in (tmp_path / "pages" / "src" / "portal" / "static" / "build").iterdir()}
    assert {"pages.js", "icon-180.png"} <= made
