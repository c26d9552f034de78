"""`orderloom secrets`: random passwords and keys for a deployment, each in a file of its own."""

import argparse
import secrets
from pathlib import Path

from rich.console import Console

from contracts.topics import SERVICES
from orderloom import keys
from orderloom.folder import write_private

console = Console(soft_wrap=True, highlight=False)

SECRET_BYTES = 24
FOLDER_MODE, FILE_MODE = 0o700, 0o444
"""The folder is its owner's alone. What a container is given of it, that container's user can read, whoever it is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("into", type=Path, metavar="DIR", help="made when it is missing")
    parser.add_argument("--database-server", default="postgres:5432", metavar="HOST:PORT")


def run(arguments: argparse.Namespace) -> int:
    made = make(arguments.into, database_server=arguments.database_server)
    console.print(f"Made in {arguments.into}: {', '.join(made) or 'nothing, all are there'}.", markup=False)
    return 0


def make(folder: Path, *, database_server: str) -> list[str]:
    """Make the files that are missing and return their names; what is there is never changed.

    `SERVICE-database-password` and, with it in the address, `SERVICE-database-url`; `SERVICE-idempotency-secret`;
    `postgres-password` of the server's own user; `admin-password`; `grafana-password`; `signing-key.pem`; and
    `more-keys.json`, the public halves that are trusted beside that key's: none yet.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    folder.chmod(FOLDER_MODE)
    before = set(folder.iterdir())
    for name in ("postgres-password", "admin-password", "grafana-password"):
        _once(folder / name, secrets.token_urlsafe(SECRET_BYTES))
    for service in SERVICES:
        password = _once(folder / f"{service}-database-password", secrets.token_urlsafe(SECRET_BYTES))
        address = f"postgresql+asyncpg://{service}:{password}@{database_server}/{service}"
        _once(folder / f"{service}-database-url", address)
        _once(folder / f"{service}-idempotency-secret", secrets.token_urlsafe(SECRET_BYTES))
    _once(folder / "signing-key.pem", keys.new_signing_key())
    _once(folder / "more-keys.json", '{"keys": []}')
    return sorted(path.name for path in set(folder.iterdir()) - before)


def _once(file: Path, text: str) -> str:
    """What `file` holds, `text` if it was not there."""
    if not file.exists():
        write_private(file, text)
        file.chmod(FILE_MODE)
    return file.read_text()
