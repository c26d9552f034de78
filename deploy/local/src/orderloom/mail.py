"""A mail server that delivers nothing: each mail becomes an .eml file.

`python -m orderloom.mail --port P --folder F`
"""

import argparse
import asyncio
import itertools
import signal
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

MESSAGE_BYTES_MAX = 32 * 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.folder, host=arguments.host))


async def serve(port: int, folder: Path, *, host: str = "127.0.0.1") -> None:
    """Take mail on `port` until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    letterbox = Letterbox(folder)
    server = await loop.create_server(
        lambda: SMTP(letterbox, data_size_limit=MESSAGE_BYTES_MAX, enable_SMTPUTF8=True), host, port
    )
    await stopping.wait()
    server.close()  # and no waiting for clients that keep their connection


class Letterbox:
    """Keeps what the server takes. A mail answered with 250 is a whole file, named by the time it came."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content or b""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{next(self._numbers)}"
        fresh = self._folder / f"{name}.new"
        fresh.write_bytes(content if isinstance(content, bytes) else content.encode())
        fresh.rename(self._folder / f"{name}.eml")
        return "250 Kept"


if __name__ == "__main__":
    main()
