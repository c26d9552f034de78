"""The clock of all processes of ours together, set ahead by a file that each of them looks at."""

import os
from pathlib import Path

from orderloom.folder import DataFolder

AHEAD = Path(__file__).parent / "ahead"


def environment(folder: DataFolder) -> dict[str, str]:
    """What makes Python processes follow the file."""
    path = os.pathsep.join(filter(None, [str(AHEAD), os.environ.get("PYTHONPATH", "")]))
    return {"PYTHONPATH": path, "ORDERLOOM_CLOCK_FILE": str(_file(folder))}


def set_ahead(folder: DataFolder, seconds: float) -> float:
    """By that much more than they are. Returns how far they are ahead now, in seconds."""
    file = _file(folder)
    total = (float(file.read_text()) if file.exists() else 0.0) + seconds
    fresh = file.with_suffix(".new")
    fresh.write_text(str(total))
    fresh.replace(file)
    return total


def _file(folder: DataFolder) -> Path:
    return folder.path / "clock"
