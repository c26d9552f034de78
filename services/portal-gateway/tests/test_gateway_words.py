"""Nothing is untranslated, and no text stands in a template where no catalogue finds it."""

import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

SERVICE = Path(__file__).parents[1]
TEMPLATES = sorted((SERVICE / "src" / "portal" / "templates").rglob("*.html"))
NOT_WORDS = {"Orderloom", "· Orderloom", "openapi.json", "中文", "English"}


def test_every_text_is_translated_into_every_language() -> None:
    ran = subprocess.run(
        [sys.executable, str(SERVICE / "catalogues.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_no_sentence_of_the_chinese_catalogue_is_the_english_one() -> None:
    with (SERVICE / "src/portal/locales/zh_CN/LC_MESSAGES/portal.po").open("rb") as file:
        catalogue = read_po(file, locale="zh_CN")
    assert [message.id for message in catalogue if message.id and message.string == message.id] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.stem)
def test_no_text_stands_in_a_template_unmarked(template: Path) -> None:
    tree = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"]).parse(template.read_text())
    assert not [words for words in between_tags(written(tree)) if words not in NOT_WORDS]


def test_the_check_finds_a_word_between_tags_and_in_an_attribute_that_is_read_aloud() -> None:
    assert between_tags('<p class="x">Hello <b>you</b></p>') == ["Hello", "you"]
    assert between_tags('<input placeholder="Search">') == ["Search"]
    assert between_tags('<kbd>g</kbd><code>x</code><a href="/x"> </a>') == []


OF_TAGS = ("live", "events", "room", "body_attributes", "_state")
"""Blocks and macros that stand inside of tags."""


def written(node: nodes.Node) -> str:
    """What the template itself writes, with a blank for each expression."""
    if isinstance(node, nodes.TemplateData):
        return node.data
    if isinstance(node, nodes.Block | nodes.Macro) and node.name in OF_TAGS:
        return ""
    if isinstance(node, nodes.Expr):
        return " "
    return "".join(written(each) for each in node.iter_child_nodes())


READ_ALOUD = ("placeholder", "title", "alt", "aria-label")
SAME_IN_EVERY_LANGUAGE = ("kbd", "code", "svg")


def between_tags(html: str) -> list[str]:
    """Everything with letters that a reader would meet."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: list[str] = []
            self.inside: list[str] = []

        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            self.inside.append(tag)
            for name, value in attributes:
                if name in READ_ALOUD and _has_letters(value or ""):
                    self.found.append((value or "").strip())

        def handle_endtag(self, tag: str) -> None:
            while self.inside and self.inside.pop() != tag:
                pass

        def handle_data(self, data: str) -> None:
            if _has_letters(data) and not set(SAME_IN_EVERY_LANGUAGE) & set(self.inside):
                self.found.append(data.strip())

    reader = Reader()
    reader.feed(html)
    return [words for words in reader.found if words]


def _has_letters(text: str) -> bool:
    return any(letter.isalpha() for letter in text)
