"""What the supervisor last said of itself and its parts. Whether it is still true is asked of the processes."""

import json
import signal
from dataclasses import asdict, dataclass, field
from pathlib import Path

from orderloom.part import STOP_SECONDS
from orderloom.processes import Identity, stop

READY = "ready"
STOPPED = "stopped"
SUPERVISOR = "supervisor"


@dataclass
class State:
    """`phase` is a few words for people, or READY, or STOPPED; `waiting_for` are the parts that keep it there."""

    phase: str = STOPPED
    waiting_for: list[str] = field(default_factory=list)
    failure: str | None = None
    processes: dict[str, Identity] = field(default_factory=dict)

    @property
    def is_supervised(self) -> bool:
        supervisor = self.processes.get(SUPERVISOR)
        return supervisor is not None and supervisor.is_alive

    def save(self, file: Path) -> None:
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self), indent=2))
        fresh.replace(file)


def load(file: Path) -> State:
    """Return what was saved; nothing saved, or a file torn by a power cut, is a stack that is stopped."""
    try:
        saved = json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return State()
    processes = {name: Identity(**identity) for name, identity in saved.pop("processes").items()}
    return State(**saved, processes=processes)


def stop_processes(remembered: State) -> None:
    """Stop the parts a supervisor that is gone left behind, and return when they are gone."""
    below = ("kafka", "mail", "postgres", SUPERVISOR)
    for names in ([name for name in remembered.processes if name not in below], ("kafka", "mail")):
        found = [remembered.processes[name] for name in names if name in remembered.processes]
        stop(found, by=signal.SIGTERM, patience_seconds=STOP_SECONDS)
    if "postgres" in remembered.processes:
        stop([remembered.processes["postgres"]], by=signal.SIGINT, patience_seconds=STOP_SECONDS)
