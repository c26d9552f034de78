"""Templates, in each language; and the addresses of what pages load."""

import hashlib
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import structlog
from babel.support import Translations
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from portal.pages.language import Formats, Language, translations

log = structlog.get_logger(__name__)

STATIC = Path(__file__).parents[1] / "static"
TEXTS_KEPT_MAX = 4096


@cache
def templates(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("portal"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,  # which would look at every file of a page each time
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    environment.globals |= words_of(translations(language)) | {"static": static}
    return environment


def words_of(catalogue: Translations) -> dict[str, Callable[..., Markup]]:
    """What templates call for their words. As Jinja's own do, but a text without values is made once: most are."""

    @lru_cache(maxsize=TEXTS_KEPT_MAX)
    def plain(text: str) -> Markup:
        return Markup(catalogue.ugettext(text)) % {}  # which makes one percent sign of two

    def gettext(text: str, /, **values: object) -> Markup:
        return Markup(catalogue.ugettext(text)) % values if values else plain(text)

    def ngettext(one: str, many: str, count: int, /, **values: object) -> Markup:
        return Markup(catalogue.ungettext(one, many, count)) % ({"num": count} | values)

    return {"_": gettext, "gettext": gettext, "ngettext": ngettext}


@cache
def static(name: str) -> str | None:
    """The address of a file that browsers may keep for ever, since it changes with the file. None: it is not built."""
    file = STATIC / name
    if not file.exists():
        log.warning("not_built", file=name, advice="make assets")
        return None
    return f"/static/{name}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"


def part(name: str, formats: Formats, **context: Any) -> Markup:
    """Of a page, to be kept and put into several."""
    return Markup(templates(formats.language).get_template(name).render(fmt=formats, **context))


def render(name: str, formats: Formats, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page that no cache keeps: the next reader of this machine may be someone else."""
    html = templates(formats.language).get_template(name).render(fmt=formats, **context)
    return HTMLResponse(html, status, {"Cache-Control": "no-store", "Content-Language": formats.language})
