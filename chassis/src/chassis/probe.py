"""Asks the service of this container whether it can do its work: `python -m chassis.probe`, exit code 0 or 1.

For images without a shell and without curl. It loads nothing but what it asks with.
"""

import http.client
import os
import sys

TIMEOUT_SECONDS = 4.0


def main() -> int:
    """0 when `/readyz` says so; else what it says is printed."""
    service = http.client.HTTPConnection("127.0.0.1", int(os.environ["ORDERLOOM_PORT"]), timeout=TIMEOUT_SECONDS)
    try:
        service.request("GET", "/readyz")
        answer = service.getresponse()
        said = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as reason:
        print(f"The service does not answer: {reason!r}")
        return 1
    finally:
        service.close()
    if answer.status != 200:
        print(said)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
