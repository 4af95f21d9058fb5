"""The reader: in which language a page speaks, and how it writes numbers, dates, ages and names.

Texts come from the catalogues beside this module (gettext, read as they are: nothing is compiled), everything
else from CLDR through Babel. The language is the address's (`/kk/find`), else the cookie's, else the first of
Accept-Language that we speak.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from gettext import NullTranslations
from importlib import resources
from io import BytesIO
from typing import Any, Final

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations
from starlette.requests import Request

from landbridge import codes
from landbridge.kinds.kind import LANGUAGES

COOKIE: Final = "language"
RIGHT_TO_LEFT: Final = frozenset({"ar"})
CATALOGUES = resources.files("landbridge.portal") / "catalogues"


class Reader:
    """Somebody who reads one language of the interface."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.dir = "rtl" if language in RIGHT_TO_LEFT else "ltr"
        self.locale = Locale.parse("zh_Hans" if language == "zh" else language)
        self._texts = _catalogue(language)
        self._said: dict[str, str] = {}

    def text(self, message: str, /, **values: object) -> str:
        """The message in the reader's language, its {places} filled."""
        said = self._said.get(message)
        if said is None:
            said = self._said[message] = self._texts.gettext(message)
        return said.format_map(values) if values else said

    def plural(self, one: str, many: str, count: int, /, **values: object) -> str:
        """The message for so many; {n} is the number as the reader writes it."""
        return self._texts.ngettext(one, many, count).format_map({"n": self.number(count), **values})

    def number(self, value: float) -> str:
        return _decimal(value, self.language)

    def date(self, when: datetime | date | str | None) -> str:
        """A day; of a text only what is one, else the text."""
        if isinstance(when, str):
            try:
                return _day(date.fromisoformat(when[:10]), self.language)
            except ValueError:
                return when
        if isinstance(when, datetime):
            when = when.astimezone(UTC).date()
        return _day(when, self.language) if when else ""

    def moment(self, when: datetime | None) -> str:
        return format_datetime(when.astimezone(UTC), "medium", locale=self.locale) + " UTC" if when else ""

    def age(self, when: datetime | None, now: datetime) -> str:
        """How long ago: "3 minutes ago"."""
        if when is None:
            return self.text("never")
        return _ago(int(max((now - when).total_seconds(), 1)), self.language)

    def all_of(self, words: list[str]) -> str:
        return format_list(words, locale=self.locale)

    def country(self, code: str) -> str:
        return codes.country_name(code, self.language)

    def language_name(self, code: str) -> str:
        return codes.language_name(code, self.language)

    def label(self, words: Mapping[str, str]) -> str:
        """The reader's of a label in many languages."""
        return words.get(self.language) or words["en"]


@cache
def reader(language: str) -> Reader:
    """The reader of a language of LANGUAGES."""
    return Reader(language)


@cache
def own_name(language: str) -> str:
    """What a language calls itself, as a list of languages shows it."""
    name = Locale.parse("zh_Hans" if language == "zh" else language).get_display_name() or language
    return name[:1].upper() + name[1:]


@cache
def _catalogue(language: str) -> NullTranslations:
    path = CATALOGUES / f"{language}.po"
    if language == "en" or not path.is_file():
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


@lru_cache(maxsize=20_000)
def _decimal(value: float, language: str) -> str:
    return format_decimal(value, locale=reader(language).locale)


@lru_cache(maxsize=5_000)
def _day(when: date, language: str) -> str:
    return format_date(when, "medium", locale=reader(language).locale)


@lru_cache(maxsize=5_000)
def _ago(seconds: int, language: str) -> str:
    return format_timedelta(
        timedelta(seconds=-seconds), add_direction=True, threshold=1.2, locale=reader(language).locale
    )


def choose(request: Request) -> str:
    """The language of an answer."""
    named = request.path_params.get("language") or request.cookies.get(COOKIE, "")
    if named in LANGUAGES:
        return str(named)
    return _accepted(request.headers.get("accept-language", ""))


@lru_cache(maxsize=1_000)
def _accepted(header: str) -> str:
    """The best of an Accept-Language that we speak (RFC 9110, 12.5.4), else English."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(header[:500].split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        if 0 < weight <= 1:
            wanted.append((-weight, place, tag.lower()))
    for _, _, tag in sorted(wanted):
        short = tag.split("-")[0]
        short = {"tl": "fil", "in": "id"}.get(short, short)
        if short in LANGUAGES:
            return short
    return "en"


def words_for(language: str) -> dict[str, Any]:
    """What every template may call."""
    own = reader(language)
    return {"reader": own, "_": own.text, "ngettext": own.plural}
