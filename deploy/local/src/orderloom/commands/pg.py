"""`orderloom pg psql -d finance`: the programs that come with the embedded PostgreSQL, on the server of the stack."""

import argparse
import os
import subprocess

from orderloom import postgres
from orderloom.part import Command
from orderloom.stack import Stack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("program", metavar="PROGRAM", help="psql, pg_dump, pg_restore, pg_basebackup, …")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="…", help="its own")


def run(arguments: argparse.Namespace) -> int:
    """Its exit code. It runs as the server does, from `/`. PGPORT and the like can be told otherwise."""
    server = Stack.of(arguments.folder).cluster
    reached = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGUSER": "postgres",
        "PGPASSWORD": (server.folder / "password").read_text(),
    }
    command = [postgres.program(arguments.program), *arguments.arguments]
    ownership = Command([], os_user=postgres.os_user()).ownership
    return subprocess.run(command, env=reached | os.environ, cwd="/", **ownership).returncode
