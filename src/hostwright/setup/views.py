"""What the pages of the first run show."""

from __future__ import annotations

from typing import Final

import msgspec

from hostwright.core.providers import AreaProbe
from hostwright.setup.records import Step
from hostwright.web import brand
from hostwright.web.i18n import gettext, marked

STEPS: Final = {
    Step.TOKEN: marked("Token"),
    Step.ADMIN: marked("Admin"),
    Step.COMPANY: marked("Company"),
    Step.VIRTFUSION: marked("VirtFusion"),
    Step.IMPORT: marked("Import"),
}
AREAS: Final = {
    "connect": marked("Address and token"),
    "servers": marked("Servers"),
    "hypervisors": marked("Hypervisors"),
    "packages": marked("Packages"),
    "templates": marked("System templates"),
    "ssh_keys": marked("SSH keys"),
    "users": marked("Users"),
    "queue": marked("Queue"),
}
# By what the message of `core.http.failures` says. The first that fits.
HINTS: Final = (
    (
        "that is never asked",
        marked(
            "A panel in production asks no VirtFusion on its own machine. If yours is there, set"
            " ALLOW_LOCAL_UPSTREAMS=yes and start Hostwright again."
        ),
    ),
    (
        "certificate",
        marked("Repair the certificate. Do without the check only where nobody can listen between the two machines."),
    ),
    ("speak TLS", marked("Check the port, or write the address with http:// if it has no TLS.")),
    ("name cannot be resolved", marked("Check the address for typing errors, and this machine's DNS.")),
    ("cannot be reached", marked("Check the address, its port, and firewalls between this machine and VirtFusion.")),
    ("in time", marked("Check firewalls between this machine and VirtFusion, and whether VirtFusion is busy.")),
    (
        "401",
        marked(
            "Make a token in VirtFusion under Configuration > API, and copy all of it."
            " Allow this machine's address there."
        ),
    ),
    ("403", marked("Give the token this permission in VirtFusion under Configuration > API. Then test again.")),
    ("429", marked("Wait a minute and test again.")),
)
NOT_VIRTFUSION: Final = marked(
    "What answers there does not behave like VirtFusion. Use the address at which you open its panel."
)
ILL: Final = ("failed (", "broke off")


class Mark(msgspec.Struct, frozen=True):
    """One step in the row at the top."""

    label: str
    path: str
    state: str
    """done, now, next."""
    open: bool


class Look(msgspec.Struct, frozen=True):
    """How a colour looks in one theme, with WCAG's contrasts (1 to 21)."""

    theme: str
    ground: str
    ink: str
    values: brand.Brand
    fill_contrast: str
    text_contrast: str


class AreaView(msgspec.Struct, frozen=True):
    """What a try found about one area."""

    label: str
    ok: bool
    problem: str
    hint: str


def looks(colour: str) -> list[Look]:
    """A colour in both themes; ``colour`` has to be one."""
    light, dark = brand.light(colour), brand.dark(colour)
    return [
        _look(gettext("Light"), "#ffffff", "#16171c", light, brand.LIGHT_GROUND),
        _look(gettext("Dark"), brand.as_hex(brand.DARK_SURFACE), "#f3f3f5", dark, brand.DARK_GROUND),
    ]


def _look(theme: str, ground: str, ink: str, values: brand.Brand, darkest: brand.Linear) -> Look:
    fill = brand.contrast(brand.linear(values.fill), brand.linear(values.on_fill))
    text = brand.contrast(brand.linear(values.text), darkest)
    return Look(theme, ground, ink, values, f"{fill:.1f}", f"{text:.1f}")


def colour_or(text: str, otherwise: str) -> str:
    """``text`` as a colour, or the other one while somebody still types."""
    text = text.strip().lower()
    return text if brand.HEX.fullmatch(text) else otherwise


def area_views(probes: list[AreaProbe]) -> list[AreaView]:
    """What a try found; one line when one thing is wrong with all of it."""
    if len({probe.problem for probe in probes}) == 1 and not any(probe.ok for probe in probes):
        probes = probes[:1]
    return [area_view(probe) for probe in probes]


def area_view(probe: AreaProbe) -> AreaView:
    """One area in words, with what to do about it."""
    label = gettext(AREAS[probe.area]) if probe.area in AREAS else probe.area
    problem = "" if probe.ok else probe.problem or gettext("It does not work.")
    return AreaView(label, probe.ok, problem, "" if probe.ok else hint_of(problem))


def hint_of(problem: str) -> str:
    """What to do about a problem."""
    for part, hint in HINTS:
        if part in problem:
            return gettext(hint)
    return "" if any(part in problem for part in ILL) else gettext(NOT_VIRTFUSION)
