"""Whoever is woken at night types what a page says: every command is one, and every statement is right SQL."""

import re
import shlex
from importlib import import_module
from pathlib import Path

import asyncpg
import pytest

from chassis.application import Service
from orderloom.cli import _parser
from orderloom.parts import Parts
from orderloom.stack import MODULES
from stack import copied_database, template_database

PAGES = sorted((Path(__file__).parents[1] / "docs" / "runbooks").glob("*.md"))
CODE = re.compile(r"`([^`]+)`|^ {4,}(\S.*)$", re.MULTILINE)
CONTINUED = re.compile(r" \\\n +")
COMMAND = re.compile(r"^orderloom .*[a-z]")
STATEMENT = re.compile(r"\b(?:SELECT|UPDATE) [^;`]+;?", re.DOTALL)
BLANKS = {"CONSUMER": "finance", "KEY": "a-key", "ORDER": "SO-000001", "URL": "http://127.0.0.1:1", "PID": "1"}


def code(page: Path) -> list[str]:
    """What is set as code in `page`: between backticks, or indented; a command over several lines as one."""
    return [inline or block for inline, block in CODE.findall(CONTINUED.sub(" ", page.read_text()))]


def commands(page: Path) -> list[str]:
    told = [re.split(r"\s{2,}#|\s+[<>|]\s|\s&&\s(?=orderloom)", each)[0].strip() for each in code(page)]
    return [each for each in told if COMMAND.match(each) and "…" not in each.replace('"…"', "")]


def statements(page: Path) -> list[str]:
    """Over several lines too, and those in the arguments of psql."""
    text = page.read_text()
    blocks = re.findall(r"(?:^ {4,}\S.*\n)+", text, re.MULTILINE)
    found = [statement for each in re.findall(r"`([^`]+)`", text) + blocks for statement in STATEMENT.findall(each)]
    return [_filled(each) for each in found if "…" not in each and "pg_is_in_recovery" not in each]


def _filled(statement: str) -> str:
    return re.sub(r"\b(?:PID|N|Y)\b", "1", statement.split(" -- ")[0]).strip()


EACH_COMMAND = [(page.stem, each) for page in PAGES for each in dict.fromkeys(commands(page))]
EACH_STATEMENT = [(page.stem, each) for page in PAGES for each in dict.fromkeys(statements(page))]


def test_there_is_something_to_be_looked_at() -> None:
    assert len(EACH_COMMAND) > 40
    assert len(EACH_STATEMENT) > 7


@pytest.mark.parametrize(("page", "command"), EACH_COMMAND, ids=str)
def test_every_command_of_a_runbook_is_one_of_ours(page: str, command: str) -> None:
    words = [BLANKS.get(word, word) for word in shlex.split(command)[1:]]
    assert _parser().parse_args(words).run


async def test_every_statement_of_a_runbook_fits_the_database_of_a_service(parts: Parts) -> None:
    for page, statement in EACH_STATEMENT:
        refusals = {service: await _refusal(parts, service, statement) for service in MODULES}
        assert "" in refusals.values(), f"{page}: {statement}\n{refusals}"


async def _refusal(parts: Parts, name: str, statement: str) -> str:
    """Why the database of the service does not take the statement, which is not run."""
    service: Service = import_module(MODULES[name]).service
    url = await copied_database(parts, await template_database(parts, service))
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.prepare(statement)
    except asyncpg.PostgresError as reason:
        return str(reason)
    finally:
        await connection.close()
    return ""
