"""Languages: the one of a request stands in a context variable; catalogues are read from .po files at first use."""

from __future__ import annotations

import re
from contextvars import ContextVar
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from litestar import Request

LOCALES: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "hostwright"
LANGUAGES: Final = {"en": "English", "de": "Deutsch"}
DEFAULT: Final = "en"
PSEUDO: Final = "qps"
COOKIE: Final = "hw_lang"
KEPT_HEADERS: Final = 512
LONGEST_HEADER: Final = 200

LANG: Final[ContextVar[str]] = ContextVar("language", default=DEFAULT)

PLACEHOLDER: Final = re.compile(r"(%\(\w+\)[sd])")
ACCENTS: Final = str.maketrans("aeiouAEIOUcnsyz", "åéîöüÅÉÎÖÜçñšýž")


class PseudoTranslations(NullTranslations):
    """Accents, a third more, brackets: what was not wrapped, and what overflows, is seen at once."""

    def _odd(self, message: str) -> str:
        parts = PLACEHOLDER.split(message)
        odd = "".join(part if part.startswith("%(") else part.translate(ACCENTS) for part in parts)
        return f"⟦{odd}{'·' * (len(message) // 3)}⟧"

    def gettext(self, message: str) -> str:
        """The odd form."""
        return self._odd(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The odd form of one or many."""
        return self._odd(msgid1 if n == 1 else msgid2)


@cache
def catalogue(language: str) -> NullTranslations:
    """The messages of a language; English is in the code. Read once per process."""
    if language == PSEUDO:
        return PseudoTranslations()
    source = LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    if not source.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled, DOMAIN)


def raw_gettext(message: str) -> str:
    """A message in the current language, placeholders untouched. For Jinja."""
    return catalogue(LANG.get()).gettext(message)


def raw_ngettext(singular: str, plural: str, n: int) -> str:
    """As `raw_gettext`, for one or many."""
    return catalogue(LANG.get()).ngettext(singular, plural, n)


def gettext(message: str, **values: object) -> str:
    """A message in the current language; ``%(name)s`` is filled from ``values``. A per cent sign is ``%%``."""
    found = raw_gettext(message)
    return found % values if values else found.replace("%%", "%")


def ngettext(singular: str, plural: str, n: int, **values: object) -> str:
    """As `gettext`, for one or many; ``%(num)s`` is ``n``."""
    return raw_ngettext(singular, plural, n) % {"num": n, **values}


def marked(message: str) -> str:
    """Mark a constant for translation; `gettext` it where it is shown."""
    return message


@lru_cache(KEPT_HEADERS)
def _accepted(header: str) -> str | None:
    """The best language of an Accept-Language header that we speak. Anybody can send any: few are kept, cut short."""
    wishes: list[tuple[float, int, str]] = []
    for place, entry in enumerate(header.split(",")):
        tag, _, weight = entry.strip().partition(";q=")
        try:
            wishes.append((-float(weight or 1), place, tag.partition("-")[0].lower()))
        except ValueError:
            continue
    return next((tag for _, _, tag in sorted(wishes) if tag in LANGUAGES), None)


def choose_language(request: Request[Any, Any, Any], *, pseudo: bool = False) -> str:
    """Set and return the language of a request: the cookie, then the viewer's, then what the browser accepts."""
    allowed = frozenset(LANGUAGES) | ({PSEUDO} if pseudo else frozenset[str]())
    viewer = request.scope["state"].get("viewer")
    for wish in (request.cookies.get(COOKIE), getattr(viewer, "language", None)):
        if wish in allowed:
            break
    else:
        wish = _accepted(request.headers.get("accept-language", "")[:LONGEST_HEADER])
    chosen = wish or DEFAULT
    LANG.set(chosen)
    return chosen
