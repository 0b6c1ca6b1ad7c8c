"""What the command palette finds: servers, pages, and actions that the words ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from hostwright.core.providers import Power, ServerState
from hostwright.servers.records import ActionKind, PaletteRow
from hostwright.servers.views import words
from hostwright.web.i18n import gettext

SERVERS: Final = 6
ACTIONS: Final = 4
OWN: Final = "/servers"
EVERYBODYS: Final = "/admin/servers"


def _look(*, icon: str) -> str:
    """Name an icon so that the build of the sprite finds it."""
    return icon


ICONS: Final = {
    ActionKind.BOOT: _look(icon="play"),
    ActionKind.SHUTDOWN: _look(icon="power"),
    ActionKind.RESTART: _look(icon="rotate-cw"),
    ActionKind.POWEROFF: _look(icon="power-off"),
    ActionKind.RESET_PASSWORD: _look(icon="key-round"),
}

type Group = tuple[str, Sequence[Item]]


class Item(msgspec.Struct, frozen=True):
    """A line of the palette: a link, or with ``post`` a button that does it at once."""

    icon: str
    label: str
    note: str
    url: str
    post: bool = False


class Wanted(msgspec.Struct, frozen=True):
    """What the words ask for: an action and of which servers. ``begun``: they may be the beginning of an action."""

    name: str
    kinds: Sequence[ActionKind] = ()
    begun: bool = False


def read(text: str) -> Wanted:
    """The words taken apart: "power off web" and "web power off" are an action and the name "web"."""
    low = " ".join(text.lower().split())  # not casefolded: the database knows ß as it is
    verbs = [(kind, words.verb(kind).lower()) for kind in ICONS]
    for kind, verb in verbs:
        if low == verb or low.startswith(f"{verb} "):
            return Wanted(low[len(verb) :].strip(), (kind,))
        if low.endswith(f" {verb}"):
            return Wanted(low[: -len(verb)].strip(), (kind,))
    begun = tuple(kind for kind, verb in verbs if low and verb.startswith(low))
    return Wanted(low, begun, begun=bool(begun))


def _makes_sense(kind: ActionKind, row: PaletteRow) -> bool:
    if row.state is not ServerState.ACTIVE:
        return False
    if kind is ActionKind.BOOT:
        return row.power is not Power.RUNNING
    return kind is ActionKind.RESET_PASSWORD or row.power is not Power.STOPPED


def _note(row: PaletteRow, place: str) -> str:
    """Tells servers of the same name apart."""
    parts = [row.customer_name] if row.customer_name and place == EVERYBODYS else []
    parts.append(row.primary_ipv4 or words.state_word(words.state_key(row.state, row.power)))
    return " · ".join(parts)


def _action(kind: ActionKind, row: PaletteRow, place: str) -> Item:
    """What would hurt when it was a slip is asked first, in the dialog of the server's page."""
    label = gettext("%(action)s %(name)s", action=words.verb(kind), name=row.name)
    asks = {ActionKind.POWEROFF: "poweroff", ActionKind.RESET_PASSWORD: "reset-dialog"}
    if kind not in asks:
        return Item(ICONS[kind], label, gettext("Action"), f"{place}/{row.id}/power/{kind.value}", post=True)
    prefix = "admin-" if place == EVERYBODYS else ""
    return Item(ICONS[kind], label, gettext("Action"), f"{place}/{row.id}#{prefix}{asks[kind]}-{row.id}")


def _pages(text: str, *, staff: bool) -> list[Item]:
    known: list[tuple[str, str, str]] = [
        (_look(icon="server"), gettext("Servers"), OWN),
        (_look(icon="monitor-smartphone"), gettext("Sessions"), "/account/sessions"),
    ]
    if staff:
        known += [
            (_look(icon="layers"), gettext("All servers"), EVERYBODYS),
            (_look(icon="contact"), gettext("Users"), "/admin/users"),
            (_look(icon="scroll-text"), gettext("Audit log"), "/admin/audit"),
            (_look(icon="hourglass"), gettext("Jobs"), "/admin/jobs"),
        ]
    low = text.casefold()
    return [Item(look, label, gettext("Page"), url) for look, label, url in known if low in label.casefold()]


def results(
    text: str, wanted: Wanted, own: Sequence[PaletteRow], others: Sequence[PaletteRow], *, staff: bool
) -> list[Group]:
    """The palette's groups. ``own`` are the viewer's servers that match, ``others`` those that only staff see."""
    mine = {row.id for row in own}
    found = [(row, OWN) for row in own]
    found += [(row, EVERYBODYS) for row in others if row.id not in mine]
    servers = [
        Item("server", row.name, _note(row, place), f"{place}/{row.id}")
        for row, place in found[: SERVERS * 2 if staff else SERVERS]
    ]
    if wanted.kinds and not wanted.name:
        servers = []
    actions = [_action(kind, row, place) for kind in wanted.kinds for row, place in found if _makes_sense(kind, row)][
        :ACTIONS
    ]
    groups = [(gettext("Servers"), servers), (gettext("Actions"), actions)]
    if wanted.kinds and not wanted.begun:
        groups.reverse()
    return [*groups, (gettext("Pages"), _pages(text, staff=staff))]
