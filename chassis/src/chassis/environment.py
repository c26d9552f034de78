"""What a process is told, each name under `ORDERLOOM_`: by its environment, or file by file for what is secret."""

import os
from pathlib import Path

from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

SECRETS_FOLDER = "ORDERLOOM_SECRETS_DIR"
"""Names a folder with one file a setting, called as its variable would be: `ORDERLOOM_DATABASE_URL`."""


class Told(BaseSettings):
    """Settings of a service or of a tool. Raises `NotADirectoryError` where the folder of secrets is not there."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="ORDERLOOM_", extra="ignore", hide_input_in_errors=True)

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
