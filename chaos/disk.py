"""A disk of its own for the trial, so that it can be full without harm to anybody else. Mounting needs root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

GIB = 4
STEP_BYTES = 16 * 1024 * 1024


@contextmanager
def own_disk(parent: Path) -> Iterator[bool]:
    """A file system of GIB in a file, mounted at `parent`. Says whether it could be made."""
    image = parent.with_suffix(".img")
    try:
        if is_own := _make(image, parent):
            parent.chmod(0o711)
        yield is_own
    finally:
        if os.path.ismount(parent):
            subprocess.run(["umount", "--lazy", str(parent)], check=False)
        image.unlink(missing_ok=True)


def _make(image: Path, parent: Path) -> bool:
    with image.open("wb") as file:
        file.truncate(GIB * 2**30)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "loop", str(image), str(parent)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@contextmanager
def filled(folder: Path) -> Iterator[int]:
    """While inside, not a byte is left on the disk under `folder`. Says how many bytes that took."""
    ballast = folder / "ballast"
    try:
        yield _fill(ballast)
    finally:
        ballast.unlink(missing_ok=True)


def _fill(ballast: Path) -> int:
    with ballast.open("wb", buffering=0) as file:
        step = STEP_BYTES
        while step:
            with suppress(OSError):
                while True:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, step)
            step //= 16
    return ballast.stat().st_size
