"""What a language consists of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Text:
    """Jinja templates of one notice. The foot, with order, title and link, is added to each."""

    subject: str
    happened: str
    then: str
    """What the reader can do."""


@dataclass(frozen=True, kw_only=True)
class Language:
    """Everything that is written in it. A variant of a text stands behind a colon."""

    locale: str
    staff: Mapping[str, Text]
    """By the fact's name without its version, for people of the company."""
    client: Mapping[str, Text]
    """For people of a client. What is not here, they are not told."""
    foot: str
    facts: Mapping[str, str]
    """What a stage waits for, by the fact's name."""
    comma: str
    """Between the items of a list."""
    day: Callable[[date], str]
    named: Callable[[str], str]
    """A name as it stands among words of the language."""
    together: Callable[[int, str], str]
    """The subject of so many notices at once, of which the first has that subject."""
