"""What a process is told, each name under `ORDERLOOM_`: by its environment, or file by file for what is secret."""

import os
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

PREFIX = "ORDERLOOM_"

SECRETS_FOLDER = "ORDERLOOM_SECRETS_DIR"
"""Names a folder with one file a setting, called as its variable would be: `ORDERLOOM_DATABASE_URL`."""


class Told(BaseSettings):
    """Settings of a service or of a tool. Raises `NotADirectoryError` where the folder of secrets is not there."""

    model_config = SettingsConfigDict(
        frozen=True, env_prefix=PREFIX, extra="ignore", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource, **more: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment; then, file by file, the folder named there, as container platforms mount secrets."""
        folder = os.environ.get(SECRETS_FOLDER)
        if folder and not Path(folder).is_dir():
            raise NotADirectoryError(f"{SECRETS_FOLDER} names {folder}, which is no folder.")
        of_files = SecretsSettingsSource(settings_cls, secrets_dir=folder or None)
        return more["init_settings"], more["env_settings"], of_files


T = TypeVar("T", bound=Told)


class WrongSettings(Exception):
    """A process cannot start with what it was told. Every line names a variable and what is wrong, never its value."""


def told(settings_class: type[T]) -> T:
    """Read, checked, all of them. Raises `WrongSettings`."""
    try:
        return settings_class()
    except ValidationError as reason:
        found = [(each["loc"], each["msg"].removeprefix("Value error, ")) for each in reason.errors()]
        raise WrongSettings("\n".join(_line(str(loc[0]) if loc else "", said) for loc, said in found)) from None
    except (SettingsError, NotADirectoryError) as reason:
        raise WrongSettings(str(reason)) from None


def variable(name: str) -> str:
    """Of a setting, as it is written in an environment."""
    return PREFIX + name.upper()


def _line(name: str, said: str) -> str:
    return f"{variable(name)}: {said}" if name else said
