"""The brand colour: from one hex setting to every colour pair of both themes, pushed until it can be read.

Contrast is WCAG 2's ratio of relative luminance; colours move in OKLCH (Björn Ottosson, 2020) by lightness
alone, so that the hue stays the company's. Wanted: 4.5 for text, 3 for lines and edges.
"""

import hashlib
import math
import re
from functools import lru_cache
from typing import Final, NamedTuple, Self

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from markupsafe import Markup

from hostwright.core.errors import NotFound

TEXT: Final = 4.5
LINE: Final = 3.0
STEP: Final = 0.01
CHROMA_STEP: Final = 0.004
ROUNDING: Final = 0.0005
FOLDER: Final = "/brand"
KEPT_FILES: Final = 16
NAME: Final = re.compile(
    r"(?P<colour>[0-9a-f]{6})-(?:(?P<letter>(?:[0-9a-f]{2}){1,12})-)?(?P<digest>[0-9a-f]{10})\.(?:css|svg)"
)
HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")


class Linear(NamedTuple):
    """A colour as linear light, 0 to 1 each."""

    red: float
    green: float
    blue: float


class Lch(NamedTuple):
    """A colour as OKLCH; ``hue`` in radians."""

    lightness: float
    chroma: float
    hue: float


class Brand(msgspec.Struct, frozen=True):
    """The values of one theme, as hex."""

    fill: str
    on_fill: str
    text: str
    edge: str


def linear(colour: str) -> Linear:
    """Linear light of ``#rrggbb``; raises `ValueError` for anything else."""
    if not HEX.fullmatch(colour):
        message = f"a colour looks like #4f46e5, not {colour!r}"
        raise ValueError(message)
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return Linear(*(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels))  # noqa: PLR2004  sRGB


def as_hex(colour: Linear) -> str:
    """``#rrggbb`` of linear light."""
    channels = (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in colour)  # noqa: PLR2004  sRGB
    return "#" + "".join(f"{round(c * 255):02x}" for c in channels)


def contrast(one: Linear, other: Linear) -> float:
    """WCAG's contrast ratio, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Linear) -> float:
    return 0.2126 * colour.red + 0.7152 * colour.green + 0.0722 * colour.blue


def to_lch(colour: Linear) -> Lch:
    """OKLCH of linear light."""
    red, green, blue = colour
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    return Lch(lightness, math.hypot(a, b), math.atan2(b, a))


def to_linear(colour: Lch) -> Linear:
    """Linear light of OKLCH; what a screen cannot show loses chroma until it can."""
    chroma = colour.chroma
    while True:
        found = _unbounded(colour._replace(chroma=chroma))
        if chroma <= 0 or all(-ROUNDING <= channel <= 1 + ROUNDING for channel in found):
            return Linear(*(min(1.0, max(0.0, channel)) for channel in found))
        chroma = max(0.0, chroma - CHROMA_STEP)


def _unbounded(colour: Lch) -> Linear:
    a, b = colour.chroma * math.cos(colour.hue), colour.chroma * math.sin(colour.hue)
    long = (colour.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (colour.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (colour.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return Linear(
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


WHITE: Final = linear("#ffffff")
INK: Final = linear("#0b0c10")
LIGHT_GROUND: Final = linear("#ebebf0")  # the darkest grey that brand text stands on in the light theme
DARK_GROUND: Final = linear("#24262d")  # the lightest one in the dark theme
DARK_SURFACE: Final = linear("#1b1d23")


def _moved(start: Lch, ground: Linear, wanted: float, step: float) -> Linear:
    """``start`` made darker or lighter by ``step`` until it stands out from ``ground`` by ``wanted``."""
    lightness = start.lightness
    found = to_linear(start)
    while contrast(found, ground) < wanted and 0 < lightness + step < 1:
        lightness += step
        found = to_linear(start._replace(lightness=lightness))
    if contrast(found, ground) < wanted:
        return Linear(0, 0, 0) if step < 0 else WHITE
    return found


def _fill(start: Lch, fill: Linear) -> tuple[Linear, Linear]:
    """The fill and what is written on it: white where that can be read, else ink, else a darker fill under white."""
    for writing in (WHITE, INK):
        if contrast(fill, writing) >= TEXT:
            return fill, writing
    return _moved(start, WHITE, TEXT, -STEP), WHITE


def light(colour: str) -> Brand:
    """The light theme's values."""
    start = to_lch(linear(colour))
    fill, writing = _fill(start, to_linear(start))
    text = _moved(start, LIGHT_GROUND, TEXT, -STEP)
    edge = _moved(start, LIGHT_GROUND, LINE, -STEP)
    return Brand(as_hex(fill), as_hex(writing), as_hex(text), as_hex(edge))


def dark(colour: str) -> Brand:
    """The dark theme's values: the fill is lifted from the night first."""
    start = to_lch(linear(colour))
    edge = _moved(start, DARK_SURFACE, LINE, STEP)
    fill, writing = _fill(to_lch(edge), edge)
    text = _moved(start, DARK_GROUND, TEXT, STEP)
    return Brand(as_hex(fill), as_hex(writing), as_hex(text), as_hex(edge))


def css(colour: str) -> str:
    """The style sheet that gives `tokens.css` its ``--brand`` values."""

    def rule(selector: str, values: Brand) -> str:
        return (
            f"{selector}{{--brand:{values.fill};--brand-foreground:{values.on_fill};"
            f"--brand-text:{values.text};--brand-edge:{values.edge}}}\n"
        )

    return rule(":root", light(colour)) + rule(":root.dark", dark(colour))


class BrandFiles(msgspec.Struct, frozen=True):
    """The style sheet and the browser's icon, under names that hold what they are made of and their hash.

    Browsers keep them for good, and every process serves those of every company: whoever just learned of another
    colour can send a page whose files a process makes that has not.
    """

    sheet_url: str
    sheet: str
    icon_url: str
    icon: str

    @classmethod
    def of(cls, colour: str, company: str) -> Self:
        """The files of a colour and a company."""
        colour, letter = colour.lower(), company[:1]
        sheet, icon = css(colour), mark(colour, letter)
        place = f"{FOLDER}/{colour[1:]}"
        return cls(f"{place}-{_digest(sheet)}.css", sheet, f"{place}-{letter.encode().hex()}-{_digest(icon)}.svg", icon)


@lru_cache(KEPT_FILES)
def _file(name: str) -> tuple[str, str, bool]:
    """Content, media type, and whether it is what the name's hash says; raises `NotFound`. Anybody can ask for any."""
    found = NAME.fullmatch(name)
    if found is None:
        raise NotFound
    colour = f"#{found['colour']}"
    if found["letter"] is None:
        content, kind = css(colour), "text/css"
    else:
        try:
            content, kind = mark(colour, bytes.fromhex(found["letter"]).decode()), "image/svg+xml"
        except UnicodeDecodeError:
            raise NotFound from None
    return content, kind, _digest(content) == found["digest"]


def brand_route() -> HTTPRouteHandler:
    """The handler that serves companies' colours and icons."""

    @get(f"{FOLDER}/{{name:str}}", opt={"auth": "public"}, include_in_schema=False, sync_to_thread=False)
    def brand_file(name: FromPath[str]) -> Response[str]:
        content, kind, fits = _file(name)
        # Another release made the name: its page gets today's file, and asks again next time.
        headers = {"Cache-Control": "public, max-age=31536000, immutable" if fits else "no-cache"}
        return Response(content, media_type=kind, headers=headers)

    return brand_file


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:10]


def mark(colour: str, company: str) -> str:
    """The browser's icon: the company's letter on its colour."""
    values = light(colour)
    shape = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="{}"/>'
        '<text x="16" y="22.5" text-anchor="middle" font-family="Inter, Arial, sans-serif" font-weight="700" '
        'font-size="18" fill="{}">{}</text></svg>'
    )
    return Markup(shape).format(values.fill, values.on_fill, company[:1].upper())  # noqa: S704  a constant; format() escapes
