"""Stands in for a service: answers /healthz and /readyz, pauses and resumes, has the tables the stack reads.

`python -m standin all|migrate`, with the environment of a service. Nothing but the standard library until it migrates,
so that five of them start at once.
"""

import asyncio
import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

TABLES = """
    CREATE TABLE IF NOT EXISTS outbox (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id uuid NOT NULL DEFAULT gen_random_uuid(),
        topic text NOT NULL, key text NOT NULL, type text NOT NULL, headers jsonb NOT NULL, body text NOT NULL,
        recorded_at timestamptz NOT NULL, published_at timestamptz);
    CREATE TABLE IF NOT EXISTS progress (
        topic text, partition int, "offset" bigint, ce_time timestamptz, PRIMARY KEY (topic, partition));
    CREATE TABLE IF NOT EXISTS parked_keys (
        consumer text, key text, reason text, parked_at timestamptz, waits boolean DEFAULT false,
        PRIMARY KEY (consumer, key));
"""

is_paused = False


def main() -> None:
    if sys.argv[1] == "migrate":
        asyncio.run(migrate())
    else:
        serve()


async def migrate() -> None:
    import asyncpg

    connection = await asyncpg.connect(os.environ["ORDERLOOM_DATABASE_URL"].replace("+asyncpg", ""))
    await connection.execute(TABLES)
    await connection.close()


def serve() -> None:
    server = ThreadingHTTPServer((os.environ["ORDERLOOM_HOST"], int(os.environ["ORDERLOOM_PORT"])), Handler)
    signal.signal(signal.SIGUSR1, lambda *_: pause(True))
    signal.signal(signal.SIGUSR2, lambda *_: pause(False))
    signal.signal(signal.SIGTERM, lambda *_: Thread(target=server.shutdown).start())
    say("started")
    server.serve_forever(poll_interval=0.05)
    say("stopped")


def pause(paused: bool) -> None:
    global is_paused
    if os.environ.get("STANDIN_STUBBORN") and paused:
        return
    is_paused = paused
    say("paused" if paused else "resumed")


def say(what: str) -> None:
    print(time.time(), what, flush=True)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        checks = {"bus": "paused" if is_paused else "ok"}
        status = 503 if is_paused and self.path == "/readyz" else 200
        body = json.dumps({"ready": not is_paused, "checks": checks}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    main()
