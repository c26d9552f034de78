"""The catalogues brought up to date with what the pages say: `make words`; `--check` says what is missing instead.

English is the language of the sources. What a catalogue has and no page says any more is dropped.
"""

import argparse
import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parent
SOURCES = HERE / "src" / "portal"
KEYWORDS = DEFAULT_KEYWORDS | {"N_": None, "plural": (1, 2)}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {
    "templates/**.html": {
        "extensions": "jinja2.ext.i18n,jinja2.ext.do",
        "newstyle_gettext": "true",
        "trimmed": "true",
        "silent": "false",
    }
}
LOCALES = ("en", "zh_CN")
HEADER = r"""msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: {plurals}\n"

"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, and fail if something is to be done")
    is_check = parser.parse_args().check
    complaints = []
    for locale in LOCALES:
        said = extracted()  # anew: a catalogue takes new messages over as they are, and writes into them
        file = SOURCES / "locales" / locale / "LC_MESSAGES" / "portal.po"
        catalogue = read(file, locale)
        catalogue.update(said, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        if locale == "en":
            _repeat(catalogue)
        missing = [message.id for message in catalogue if message.id and not _is_translated(message.string)]
        complaints += [f"{locale}: nothing is written for {each!r}" for each in missing]
        if is_check and written(catalogue) != file.read_bytes():
            complaints.append(f"{file.relative_to(HERE)} is not what the pages say: run make words")
        if not is_check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(written(catalogue))
    print(*complaints, sep="\n", file=sys.stderr)
    return 1 if complaints else 0


def extracted() -> Catalog:
    """Everything that sources and templates mark as text."""
    found = Catalog()
    for _, _, message, _, _ in extract_from_dir(SOURCES, METHODS, OPTIONS, KEYWORDS):
        found.add(message, flags=())
    return found


def read(file: Path, locale: str) -> Catalog:
    if not file.exists():
        return Catalog(locale=locale)
    with file.open("rb") as opened:
        return read_po(opened, locale=locale)


def written(catalogue: Catalog) -> bytes:
    """Without dates and line numbers, which change when no word does."""
    text = BytesIO()
    write_po(text, catalogue, omit_header=True, no_location=True, sort_output=True, width=120)
    return HEADER.format(plurals=catalogue.plural_forms).encode() + text.getvalue()


def _repeat(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id:
            message.string = message.id


def _is_translated(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


if __name__ == "__main__":
    sys.exit(main())
