"""The whole stack, as `orderloom up` starts it: processes, PostgreSQL, broker."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orderloom.defaults import ADMINISTRATOR, DEMO_PASSWORD
from orderloom.gateway import Gateway

ORDERLOOM = (sys.executable, "-m", "orderloom.cli")


@dataclass(frozen=True)
class WholeStack:
    """What a journey needs to know of it."""

    data: Path

    def command(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run `orderloom …` on this stack."""
        return subprocess.run(
            [*ORDERLOOM, *arguments, "--data", str(self.data)], capture_output=True, text=True, check=False, **more
        )

    @property
    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.command("status", "--json").stdout)
        return answer

    @property
    def addresses(self) -> dict[str, str]:
        addresses: dict[str, str] = self.status["addresses"]
        return addresses

    def gateway(self) -> Gateway:
        password = (self.data / "keys" / "admin-password").read_text().strip()
        return Gateway(self.addresses["gateway"], {ADMINISTRATOR: password}, password=DEMO_PASSWORD)
