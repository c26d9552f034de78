"""Templates, in each language; and the addresses of what pages load."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from portal.pages.language import Formats, Language, translations

log = structlog.get_logger(__name__)

STATIC = Path(__file__).parents[1] / "static"


@cache
def templates(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("portal"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.globals["static"] = static
    return environment


@cache
def static(name: str) -> str | None:
    """The address of a file that browsers may keep for ever, since it changes with the file. None: it is not built."""
    file = STATIC / name
    if not file.exists():
        log.warning("not_built", file=name, advice="make assets")
        return None
    return f"/static/{name}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"


def render(name: str, formats: Formats, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page that no cache keeps: the next reader of this machine may be someone else."""
    html = templates(formats.language).get_template(name).render(fmt=formats, **context)
    return HTMLResponse(html, status, {"Cache-Control": "no-store", "Content-Language": formats.language})
