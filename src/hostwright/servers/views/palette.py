"""What the command palette finds: servers, pages, and actions that the words ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hostwright.core.providers import Power, ServerState
from hostwright.servers.records import ActionKind, PaletteRow
from hostwright.servers.views import words
from hostwright.web.i18n import gettext

SERVERS: Final = 6
ACTIONS: Final = 4


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

type Item = tuple[str, str, str, str]
type Group = tuple[str, Sequence[Item]]


def wanted_name(text: str) -> str:
    """The words without those that name an action: "power off web" looks for "web"."""
    rest = text.casefold()
    for kind in ActionKind:
        rest = rest.replace(words.verb(kind).casefold(), " ")
    return " ".join(rest.split())


def _matching(text: str) -> list[ActionKind]:
    low = text.casefold()
    return [kind for kind in ActionKind if words.verb(kind).casefold() in low]


def _makes_sense(kind: ActionKind, row: PaletteRow) -> bool:
    if row.state is not ServerState.ACTIVE:
        return False
    if kind is ActionKind.BOOT:
        return row.power is not Power.RUNNING
    return kind is ActionKind.RESET_PASSWORD or row.power is not Power.STOPPED


def _pages(text: str, *, staff: bool) -> list[Item]:
    known: list[tuple[str, str, str]] = [
        (_look(icon="server"), gettext("Servers"), "/servers"),
        (_look(icon="monitor-smartphone"), gettext("Sessions"), "/account/sessions"),
    ]
    if staff:
        known += [
            (_look(icon="layers"), gettext("All servers"), "/admin/servers"),
            (_look(icon="hourglass"), gettext("Jobs"), "/admin/jobs"),
        ]
    low = text.casefold()
    return [(look, label, gettext("Page"), url) for look, label, url in known if low in label.casefold()]


def results(text: str, own: Sequence[PaletteRow], others: Sequence[PaletteRow], *, staff: bool) -> list[Group]:
    """The palette's groups. ``own`` are the viewer's servers that match, ``others`` those that only staff see."""
    mine = {row.id for row in own}
    found = [(row, f"/servers/{row.id}") for row in own]
    found += [(row, f"/admin/servers/{row.id}") for row in others if row.id not in mine]
    servers: list[Item] = []
    for row, url in found[: SERVERS * 2 if staff else SERVERS]:
        note = row.primary_ipv4 or words.state_word(words.state_key(row.state, row.power))
        servers.append(("server", row.name, note, url))
    actions: list[Item] = []
    for kind in _matching(text):
        for row, url in found:
            if _makes_sense(kind, row):
                label = gettext("%(action)s %(name)s", action=words.verb(kind), name=row.name)
                actions.append((ICONS[kind], label, gettext("Action"), url))
    return [
        (gettext("Servers"), servers),
        (gettext("Actions"), actions[:ACTIONS]),
        (gettext("Pages"), _pages(text, staff=staff)),
    ]
