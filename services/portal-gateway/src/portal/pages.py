"""The plain HTML pages: templates, the reader's language, and where a sign-in may lead."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from chassis.clock import business_date, utc_now
from portal.settings import Settings
from portal.wording import Language, Words

LANGUAGES: Mapping[str, Language] = {"zh": "zh-CN", "zh-CN": "zh-CN", "en": "en"}

_templates = Environment(
    loader=PackageLoader("portal"), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
)


def words_for(settings: Settings, *, asked: str | None, locale: str | None) -> Words:
    """In the language asked for, else the reader's own, else Chinese."""
    language = LANGUAGES.get(asked or "") or LANGUAGES.get(locale or "") or "zh-CN"
    zone = settings.company_zone
    return Words(language, zone=zone, today=business_date(utc_now(), zone))


def render(name: str, words: Words, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page that no cache keeps: the next reader of this machine may be someone else."""
    html = _templates.get_template(name).render(words=words, **context)
    return HTMLResponse(html, status, {"Cache-Control": "no-store", "Content-Language": words.language})


def on_this_host(address: str | None) -> str:
    """Where to go after signing in: a path of ours, whatever someone put into the link."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")) or not address.isprintable():
        return "/"
    return quote(address, safe="/?&=%-._~:,+")
