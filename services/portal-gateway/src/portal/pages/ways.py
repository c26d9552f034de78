"""Where a link that somebody may have written may lead."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit


def on_this_host(address: str | None) -> str:
    """A path of ours, whatever someone put into the link."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")) or not address.isprintable():
        return "/"
    return quote(address, safe="/?&=%-._~:,+")


ONCE = ("said", "after")
"""What an address says of what had just been done: true once."""


def page_of_form(referer: str, host: str) -> str:
    """Where the form stood that was sent, if that was a page of ours; else the start."""
    try:
        came_from = urlsplit(referer)
    except ValueError:  # no address at all
        return "/"
    if not came_from.netloc or came_from.netloc != host:
        return "/"
    kept = [(name, value) for name, value in parse_qsl(came_from.query) if name not in ONCE]
    return on_this_host(came_from.path + (f"?{urlencode(kept)}" if kept else ""))
