"""Where a link that somebody may have written may lead."""

from urllib.parse import quote


def on_this_host(address: str | None) -> str:
    """A path of ours, whatever someone put into the link."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")) or not address.isprintable():
        return "/"
    return quote(address, safe="/?&=%-._~:,+")
