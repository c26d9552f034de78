"""The reader's language: the catalogues, and how amounts, dates and moments are written in it."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import negotiate_locale
from babel.dates import get_day_names, get_month_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_currency_precision
from babel.support import Translations

from chassis.clock import business_date

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
CATALOGUES = Path(__file__).parents[1] / "locales"
DOMAIN = "portal"
SYMBOLS = {"CNY": "¥", "EUR": "€", "GBP": "£", "JPY": "JP¥", "USD": "US$"}


def N_(text: str) -> str:
    """Marks a text to be translated where it is shown, not here."""
    return text


@cache
def translations(language: Language) -> Translations:
    """The catalogue, compiled in memory: what is committed is the text that people edit."""
    locale = language.replace("-", "_")
    with (CATALOGUES / locale / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        catalogue = read_po(file, locale=locale, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


def choose(*, asked: str | None, accepted: str) -> Language:
    """The language asked for, by the reader's own choice or profile, else the browser's, else Chinese."""
    known: dict[str, Language] = {"zh": "zh-CN", "zh-CN": "zh-CN", "en": "en"}
    if asked in known:
        return known[asked]
    preferred = [part.partition(";")[0].strip() for part in accepted.split(",")]
    found = negotiate_locale([each for each in preferred if each], ["zh-CN", "zh", "en"], sep="-")
    return known.get(found or "", "zh-CN")


class Formats:
    """One language, the company's zone, and the moment of the page."""

    def __init__(self, language: Language, *, zone: ZoneInfo, now: dt.datetime) -> None:
        self.language: Language = language
        self.other_language: Language = "en" if language == "zh-CN" else "zh-CN"
        self.is_chinese = language == "zh-CN"
        self.now = now
        self.today = business_date(now, zone)
        self._zone = zone
        self._locale = Locale.parse(language.replace("-", "_"))
        self._translations = translations(language)

    def text(self, text: str, **values: object) -> str:
        """Translated; what has no translation, like the name of a fact of a new type, stays as it is."""
        found = self._translations.ugettext(text)
        return found % values if values else found

    def plural(self, one: str, many: str, count: int, **values: object) -> str:
        return self._translations.ungettext(one, many, count) % ({"num": count} | values)

    def label(self, labels: Any, otherwise: str = "") -> str:
        """What is called in both languages, in this one. `labels` is a mapping or has the languages as attributes."""
        if labels is None:
            return otherwise
        name = "zh" if self.is_chinese else "en"
        found = labels.get(name) if isinstance(labels, Mapping) else getattr(labels, name)
        return str(found or otherwise)

    def listed(self, parts: list[str]) -> str:
        return ("、" if self.is_chinese else ", ").join(parts)

    def joined(self, sentences: list[str]) -> str:
        """One after the other; Chinese needs no space between."""
        return ("" if self.is_chinese else " ").join(each for each in sentences if each)

    def money(self, amount: Decimal | str, currency: str) -> str:
        """Every digit, and at least as many as the currency has."""
        value = Decimal(amount)
        digits = max(get_currency_precision(currency), -int(value.as_tuple().exponent))
        return f"{'−' if value < 0 else ''}{SYMBOLS.get(currency, f'{currency} ')}{abs(value):,.{digits}f}"

    def number(self, value: Decimal | str | int) -> str:
        """Every digit that counts, and none that does not."""
        exact = Decimal(value)
        whole = exact == exact.to_integral_value()
        return f"{exact.to_integral_value() if whole else exact.normalize():,f}"

    def percent(self, value: Decimal | str) -> str:
        return f"{self.number(value)}%"

    def day(self, day: dt.date | str | None) -> str:
        """With the year when it is not this one."""
        if day is None:
            return self.text(N_("Not fixed yet"))
        day = _date(day)
        year = day.year if day.year != self.today.year else None
        if self.is_chinese:
            return (f"{year} 年 " if year else "") + f"{day.month} 月 {day.day} 日"
        month = get_month_names("abbreviated", locale=self._locale)[day.month]
        return f"{day.day} {month}" + (f" {year}" if year else "")

    def span(self, start: dt.date, finish: dt.date) -> str:
        """From one day to the other, or the one that both are."""
        return self.day(start) if start == finish else f"{self.day(start)} – {self.day(finish)}"

    def date(self, instant: dt.datetime) -> dt.date:
        """The company's date then."""
        return business_date(instant, self._zone)

    def weekday(self, day: dt.date | str) -> str:
        """The day with its name."""
        day = _date(day)
        name = get_day_names("abbreviated", locale=self._locale)[day.weekday()]
        return f"{self.day(day)}（{name}）" if self.is_chinese else f"{name} {self.day(day)}"

    def days(self, count: int) -> str:
        return self.plural("%(num)s day", "%(num)s days", count)

    def due(self, day: dt.date | str) -> str:
        """Of money: how a due date stands to today."""
        count = (_date(day) - self.today).days
        if count < 0:
            return self.plural("%(num)s day overdue", "%(num)s days overdue", -count)
        if count == 0:
            return self.text(N_("due today"))
        return self.plural("due %(day)s, in %(num)s day", "due %(day)s, in %(num)s days", count, day=self.day(day))

    def moment(self, time: dt.datetime | str) -> str:
        """In the company's zone; as it came, if it is not a time."""
        try:
            instant = (dt.datetime.fromisoformat(time) if isinstance(time, str) else time).astimezone(self._zone)
        except ValueError:
            return str(time)
        if instant.date() == self.today:
            return self.text(N_("today %(time)s"), time=f"{instant:%H:%M}")
        return f"{self.day(instant.date())}{' ' if self.is_chinese else ', '}{instant:%H:%M}"

    @property
    def time(self) -> str:
        """Of the page."""
        return f"{self.now.astimezone(self._zone):%H:%M}"

    def waited(self, since: dt.datetime | str) -> str:
        """How long something waits already, in the largest unit that says enough."""
        instant = dt.datetime.fromisoformat(since) if isinstance(since, str) else since
        minutes = max(int((self.now - instant).total_seconds() // 60), 1)
        if minutes < 60:
            return self.plural("%(num)s minute", "%(num)s minutes", minutes)
        if minutes < 24 * 60:
            return self.plural("%(num)s hour", "%(num)s hours", minutes // 60)
        return self.days(minutes // (24 * 60))

    @property
    def zone(self) -> str:
        offset = self.now.astimezone(self._zone).strftime("%z")
        return self.text(N_("%(city)s time (UTC%(offset)s)"), city=self._city, offset=f"{offset[:3]}:{offset[3:]}")

    @property
    def _city(self) -> str:
        name = str(self._zone)
        return self.text({"Asia/Shanghai": N_("Shanghai")}.get(name, name.rpartition("/")[2].replace("_", " ")))


def _date(day: dt.date | str) -> dt.date:
    return dt.date.fromisoformat(day) if isinstance(day, str) else day
