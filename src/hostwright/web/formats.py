"""Numbers, sizes and times as people read them, in the language of the request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from babel.core import Locale
from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal
from markupsafe import Markup

from hostwright.web.i18n import DEFAULT, LANG, LANGUAGES, gettext

FIXED_SPACE: Final = "\u00a0"
NOTHING: Final = "\u2013"
MIB_IN_GB: Final = 1024
JUST_NOW: Final = timedelta(seconds=45)
A_MONTH: Final = timedelta(days=30)
BYTE_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")
THOUSAND: Final = 1000


@lru_cache(8)
def _locale(language: str) -> Locale:
    return Locale.parse(language if language in LANGUAGES else DEFAULT)


@lru_cache(4096)
def _decimal(value: float, digits: int, language: str) -> str:
    pattern = "#,##0" if digits == 0 else "#,##0." + "#" * digits
    return format_decimal(value, format=pattern, locale=_locale(language))


def number(value: float, digits: int = 0) -> str:
    """``12,345``; at most ``digits`` after the point."""
    return _decimal(value, digits, LANG.get())


def mebibytes(value: int | None) -> str:
    """A size in MiB as GB, the way that hosts sell it: 8192 is ``8 GB``. Small ones stay MB; None is a dash."""
    if value is None:
        return NOTHING
    if value < MIB_IN_GB:
        return f"{number(value)}{FIXED_SPACE}MB"
    return f"{number(value / MIB_IN_GB, 1)}{FIXED_SPACE}GB"


def gigabytes(value: int | None) -> str:
    """A size in GB (or GiB, which hosts sell as GB); None is a dash."""
    return NOTHING if value is None else f"{number(value)}{FIXED_SPACE}GB"


def byte_size(value: int | None) -> str:
    """Bytes in the decimal unit that fits: ``1.24 TB``; None is a dash."""
    if value is None:
        return NOTHING
    amount, unit = float(value), 0
    while amount >= THOUSAND and unit < len(BYTE_UNITS) - 1:
        amount, unit = amount / THOUSAND, unit + 1
    return f"{number(amount, 2 if unit > 2 else 0)}{FIXED_SPACE}{BYTE_UNITS[unit]}"  # noqa: PLR2004  GB and more


def exact(moment: datetime) -> str:
    """``2026-11-22 02:38 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def day(moment: datetime) -> Markup:
    """A date in words, the exact time on hover."""
    words = format_date(moment.astimezone(UTC), "medium", locale=_locale(LANG.get()))
    return _time(moment, words, live=False)


def month(moment: datetime) -> str:
    """``Nov 2026``."""
    return format_date(moment.astimezone(UTC), "MMM y", locale=_locale(LANG.get()))


def _time(moment: datetime, words: str, *, live: bool) -> Markup:
    shape = '<time datetime="{}" title="{}" translate="no"{}>{}</time>'
    mark = Markup(" data-ago") if live else ""
    return Markup(shape).format(moment.isoformat(), exact(moment), mark, words)  # noqa: S704  a constant; format() escapes


def ago(moment: datetime | None, now: datetime) -> Markup:
    """How long ago, or how soon, with the exact time on hover; beyond a month the date. None is a dash."""
    if moment is None:
        return Markup("&ndash;")
    distance = moment - now
    if abs(distance) > A_MONTH:
        return day(moment)
    if abs(distance) < JUST_NOW:
        return _time(moment, gettext("just now"), live=True)
    words = format_timedelta(distance, add_direction=True, threshold=1, locale=_locale(LANG.get()))
    return _time(moment, words, live=True)


class Device(NamedTuple):
    """What a browser says that it is."""

    text: str
    mobile: bool


BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
    ("python", "Python"),
)
PLATFORMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
MOBILE: Final = frozenset({"iPhone", "iPad", "Android"})


@lru_cache(1024)
def _device(user_agent: str) -> tuple[str | None, str | None]:
    browser = next((name for word, name in BROWSERS if word in user_agent), None)
    platform = next((name for word, name in PLATFORMS if word in user_agent), None)
    return browser, platform


def device(user_agent: str | None) -> Device:
    """Browser and system of a User-Agent header in a few words."""
    browser, platform = _device(user_agent or "")
    if browser and platform:
        text = gettext("%(browser)s on %(system)s", browser=browser, system=platform)
    else:
        text = browser or platform or gettext("Unknown device")
    return Device(text, platform in MOBILE)


def filters(now: Callable[[], datetime]) -> dict[str, Callable[..., Any]]:
    """The filters of the templates."""

    def ago_now(moment: datetime | None) -> Markup:
        return ago(moment, now())

    return {
        "ago": ago_now,
        "day": day,
        "month": month,
        "exact": exact,
        "gb": mebibytes,
        "gigabytes": gigabytes,
        "bytes": byte_size,
        "num": number,
        "device": device,
    }
