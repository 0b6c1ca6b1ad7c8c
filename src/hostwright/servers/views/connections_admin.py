"""Attached control systems, ready to be placed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from hostwright.core.providers import AreaProbe
from hostwright.servers.queries.connections_admin import ConnectionFacts, ProbeRow, Standing
from hostwright.servers.service.common import call_budget
from hostwright.servers.service.connections_admin import CONNECT, host_of
from hostwright.web.i18n import gettext, marked
from hostwright.web.messages import field_message

STATES: Final = {
    "ok": ("running", marked("Working")),
    "problem": ("failed", marked("Problem")),
    "partly": ("waiting", marked("Partly working")),
    "waiting": ("waiting", marked("Waiting for its first list")),
    "off": ("stopped", marked("Switched off")),
}
AREAS: Final = {
    "connect": (marked("Address and token"), marked("VirtFusion answers there and takes the token")),
    "servers": (marked("Servers"), marked("Lists, details, power actions")),
    "hypervisors": (marked("Hypervisors"), marked("The list of machines and what they carry")),
    "packages": (marked("Packages"), marked("The names of packages")),
    "templates": (marked("System templates"), marked("Names of systems, installing anew")),
    "ssh_keys": (marked("SSH keys"), marked("Keys that go onto new systems")),
    "users": (marked("Users"), marked("Who has a server, linking customers")),
    "queue": (marked("Queue"), marked("How far an action is")),
}
SAID: Final = {
    "must look like https://control.example.com": marked("An address looks like https://control.example.com."),
    "must hold no name and no password; the token has a field of its own": marked(
        "Leave name and password out of the address. The token has a field of its own."
    ),
    "is needed again, since the address changed": marked(
        "Enter the token again, since the address changed: the stored one goes to no other system."
    ),
    "does not match regex": marked("A token holds no spaces and no special characters. Copy it again."),
}
"""What the service says of a field, as a sentence beside it."""

RAISED: Final = (
    marked("Somebody changed this connection meanwhile. Nothing was saved; look at it and try again."),
    marked("Servers or customers' accounts stand on this connection. Switch it off instead: history needs it."),
    marked("No server of this connection names that user, so there is nothing to link."),
    marked("This customer or this account is linked to another one already."),
)
"""Sentences of the service, so that catalogues have them."""


def field_words(message: str) -> str:
    """What is wrong with a field, for people."""
    return gettext(SAID[message]) if message in SAID else field_message(message)


class AreaView(msgspec.Struct, frozen=True):
    """One area of a check: what it is, what needs it, and what is wrong."""

    key: str
    label: str
    needed_for: str
    ok: bool
    problem: str


class ConnectionView(msgspec.Struct, frozen=True):
    """A connection. ``spent`` is how much of its call budget is used now, in per cent."""

    facts: ConnectionFacts
    host: str
    key: str
    kind: str
    word: str
    error: str
    spent: int

    @property
    def url(self) -> str:
        """Its page."""
        return f"/admin/connections/{self.facts.id}"


class DetailView(msgspec.Struct, frozen=True):
    """A connection's page. ``advice`` says what to do in VirtFusion; empty when all is well."""

    connection: ConnectionView
    areas: Sequence[AreaView]
    advice: str
    standing: Standing
    removable: bool


class FormView(msgspec.Struct, frozen=True):
    """The form for a connection. ``id`` None: a new one. The token is never among ``values``."""

    id: int | None
    title: str
    action: str
    values: dict[str, str]
    errors: dict[str, str] = {}
    areas: Sequence[AreaView] = ()
    advice: str = ""
    can_save_anyway: bool = False
    twice: str = ""


def state_of(row: ConnectionFacts) -> str:
    """How a connection is doing: ok, problem, partly (an area of the last check failed), waiting or off."""
    if not row.enabled:
        return "off"
    if row.last_error is not None:
        return "problem"
    if row.last_list_at is None:
        return "problem" if row.problems else "waiting"
    return "partly" if row.problems else "ok"


def spent_calls(row: ConnectionFacts) -> tuple[int, int]:
    """How many calls are spent right now, and how many may be made at once."""
    budget = call_budget(row.id, row.calls_per_minute)
    ahead = math.ceil(round((row.ahead_seconds or 0.0) / budget.per.total_seconds(), 3))
    return min(ahead, budget.burst), budget.burst


def connection_view(row: ConnectionFacts) -> ConnectionView:
    """A connection for people."""
    key = state_of(row)
    kind, word = STATES[key]
    spent, burst = spent_calls(row)
    error = row.last_error or (gettext("The last check found a problem.") if row.problems else "")
    return ConnectionView(
        facts=row,
        host=host_of(row.base_url),
        key=key,
        kind=kind,
        word=gettext(word),
        error=gettext(error) if key in {"problem", "partly"} and error else "",
        spent=min(100, round(100 * spent / burst)),
    )


def area_views(found: Sequence[AreaProbe | ProbeRow]) -> list[AreaView]:
    """Areas for people; one that has no words yet is shown by its name.

    What keeps everything from working is said once, at the first area.
    """
    if len({one.problem for one in found}) == 1 and not any(one.ok for one in found):
        found = found[:1]
    views: list[AreaView] = []
    for one in found:
        label, needed_for = AREAS.get(one.area, (one.area, ""))
        problem = gettext(one.problem) if one.problem else ""
        views.append(AreaView(one.area, gettext(label), gettext(needed_for) if needed_for else "", one.ok, problem))
    return views


def advice_for(areas: Sequence[AreaView]) -> str:
    """What to do in VirtFusion about what a check found; empty when all is well."""
    wrong = [area for area in areas if not area.ok]
    if not wrong:
        return ""
    if any(area.key == CONNECT for area in wrong):
        return gettext(
            "Compare the address with the one in your browser. In VirtFusion, Configuration > API lists the tokens: "
            "this one has to be there, not expired, and allowed for this server's address."
        )
    return gettext(
        "In VirtFusion, open Configuration > API, edit the token and allow reading and writing for: %(areas)s.",
        areas=", ".join(area.label for area in wrong),
    )


def detail_view(row: ConnectionFacts, probes: Sequence[ProbeRow], standing: Standing) -> DetailView:
    """A connection's page."""
    areas = area_views(probes)
    removable = not (standing.servers or standing.gone or standing.accounts)
    return DetailView(connection_view(row), areas, advice_for(areas), standing, removable)


def probed_at(probes: Sequence[ProbeRow]) -> datetime | None:
    """When the last check was; None before the first."""
    return max((probe.probed_at for probe in probes), default=None)
