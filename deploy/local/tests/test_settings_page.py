from pathlib import Path

from orderloom import settings_page

ROOT = Path(__file__).parents[3]


def test_the_page_of_settings_says_what_the_code_reads() -> None:
    assert (ROOT / settings_page.PAGE).read_text() == settings_page.page()


def test_no_default_of_a_secret_is_shown() -> None:
    rows = [line.split("|") for line in settings_page.page().splitlines() if "secret |" in line]
    assert {default.strip() for _, _, default, *_ in rows} == {"**required**, secret", "empty, secret"}
    assert len(rows) >= 5
