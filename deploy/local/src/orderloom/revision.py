"""Writes a service's next migration from its models, compared with an embedded database that has all before it."""

import argparse
import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config

from orderloom.parts import running_parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service", help="the service whose migrations these are, like order")
    parser.add_argument("folder", type=Path, help="its Alembic folder, like services/order/migrations")
    parser.add_argument("message", help="what the migration does, in a few words")
    arguments = parser.parse_args()
    versions = arguments.folder / "versions"
    versions.mkdir(exist_ok=True)
    revisions = sorted(versions.glob("[0-9]*.py"))
    with running_parts() as parts:
        config = Config()
        config.set_main_option("script_location", str(arguments.folder))
        config.attributes["database_url"] = asyncio.run(parts.create_database(f"revision_{arguments.service}"))
        if revisions:
            command.upgrade(config, "head")
        command.revision(config, arguments.message, autogenerate=True, rev_id=f"{len(revisions) + 1:04}")


if __name__ == "__main__":
    main()
