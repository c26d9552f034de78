"""`docs/settings.md`, made from the classes that read the settings: `python -m orderloom.settings_page [--check]`."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from chassis.environment import SECRETS_FOLDER, Told, variable
from chassis.settings import ServiceSettings
from finance.settings import Settings as FinanceSettings
from notify.settings import Settings as NotifySettings
from order.settings import Settings as OrderSettings
from orderloom.commands.administrator import OperatorSettings
from portal.settings import Settings as GatewaySettings
from project.settings import Settings as ProjectSettings

PAGE = Path("docs/settings.md")
INTRODUCTION = f"""# Settings

Made by `make settings` from the code that reads them; `make check` refuses a page that is older than the code.

A process is told by its environment. What is secret may come from files instead: `{SECRETS_FOLDER}` names a folder
with one file a setting, called as the variable would be, as container platforms mount secrets. The environment goes
before the files. A process that is told something it cannot work with does not start: it ends at once with a line for
each such variable, which never shows the value. A variable that no setting reads does nothing; `orderloom doctor`
names those.
"""
OF: dict[str, type[Told]] = {
    "The order service": OrderSettings,
    "The project service": ProjectSettings,
    "The finance service": FinanceSettings,
    "The notify service": NotifySettings,
    "The gateway": GatewaySettings,
    "Tools": OperatorSettings,
}
NAMES = {name for settings in OF.values() for name in settings.model_fields}
"""Of all settings: where one speaks of another, it is named as people write it."""


def main(arguments: list[str]) -> int:
    """1 when the page on disk is not what it should be; without `--check` it is written first."""
    if "--check" not in arguments:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        print(f"{PAGE} is not what the settings say: run `make settings`.")
        return 1
    return 0


def page() -> str:
    """All of it."""
    return "\n".join((INTRODUCTION, *_section("Every service", ServiceSettings.model_fields), *_own_sections()))


def _own_sections() -> Iterator[str]:
    for title, settings in OF.items():
        own = {name: field for name, field in settings.model_fields.items() if name not in ServiceSettings.model_fields}
        yield from _section(title, own) if own else (f"## {title}", "", "None of its own.", "")


def _section(title: str, fields: dict[str, FieldInfo]) -> Iterable[str]:
    rows = [f"| `{variable(name)}` | {_default(field)} | {_meaning(field)} |" for name, field in fields.items()]
    return f"## {title}", "", "| variable | default | meaning |", "|---|---|---|", *rows, ""


def _default(field: FieldInfo) -> str:
    if field.annotation is SecretStr:
        return "**required**, secret" if field.is_required() else "empty, secret"
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    return "none" if value in (None, PydanticUndefined, "") else f"`{value}`"


def _meaning(field: FieldInfo) -> str:
    assert field.description, f"{field!r} says nothing"
    words = " ".join(field.description.split()).replace("|", "\\|")
    return re.sub(r"`([a-z_]+)`", lambda found: f"`{variable(found[1])}`" if found[1] in NAMES else found[0], words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
