"""A server's console, ready to be placed: the screen, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hostwright.core.providers import Power, ServerState
from hostwright.servers.records import ActionKind, ServerRow
from hostwright.servers.views.detail import Button, StateView
from hostwright.web.i18n import gettext


class ConsoleView(msgspec.Struct, frozen=True):
    """``ready``: there may be a screen. Otherwise ``title`` and ``text`` say why not, and ``start`` what helps."""

    id: int
    staff: bool
    name: str
    back: str
    tickets: str
    ready: bool
    key: str
    state: str
    title: str
    text: str
    start: Button | None
    words: Mapping[str, str]


def _words(name: str) -> Mapping[str, str]:
    """What the page says while it is open; by how it stands, and by what went wrong."""
    return {
        "connecting": gettext("Connecting"),
        "again": gettext("Connecting again"),
        "connected": gettext("Connected to %(name)s", name=name),
        "screen": gettext("Screen of %(name)s. Shift + Esc leads out of it.", name=name),
        "disconnected": gettext("Disconnected."),
        "lost": gettext("The connection was lost."),
        "restart": gettext("The panel is being restarted. The screen comes back by itself."),
        "gone": gettext("The server closed its screen; it may be starting anew or have been switched off."),
        "idle": gettext("Nobody typed anything for a long time."),
        "over": gettext("You were signed out, or the server is not yours to operate any more."),
        "unreachable": gettext("The server's screen does not answer."),
        "too_many_consoles": gettext("You have too many consoles open. Close one of them first."),
        "rate_limited": gettext("Consoles are opened too often. Wait a moment and try again."),
        "server_stopped": gettext("The server does not run, so it has no screen."),
        "server_suspended": gettext("The server is suspended."),
        "server_building": gettext("The server is being built."),
        "server_failed": gettext("Building the server failed."),
        "server_gone": gettext("The server no longer exists."),
        "upstream_unavailable": gettext("VirtFusion does not answer right now."),
        "upstream_refused": gettext("VirtFusion does not give this server's screen."),
        "forbidden": gettext("Your role at this customer does not allow operating its servers."),
        "csrf_failed": gettext("This page has been open too long. Reload it."),
    }


def _why(row: ServerRow) -> tuple[str, str] | None:
    """Why there is no screen; None when there may be one."""
    match row.state:
        case ServerState.SUSPENDED:
            return gettext("This server is suspended"), gettext("A suspended server does not run, so it has no screen.")
        case ServerState.BUILDING:
            return gettext("This server is being built"), gettext("Its screen appears here as soon as it is ready.")
        case ServerState.FAILED:
            return gettext("Building this server failed"), gettext("It does not run, so it has no screen.")
        case ServerState.GONE:
            return gettext("This server no longer exists"), gettext("There is nothing left to show.")
        case ServerState.ACTIVE if row.power is Power.STOPPED:
            return gettext("This server is switched off"), gettext("Its screen appears here as soon as it runs.")
        case ServerState.ACTIVE:
            return None


def console_view(base: str, row: ServerRow, state: StateView, *, staff: bool) -> ConsoleView:
    """A server's console as its page shows it."""
    back = f"{base}/{row.id}"
    title, text = _why(row) or ("", "")
    offered = state.main.kind is ActionKind.BOOT and not state.busy and not state.reason
    return ConsoleView(
        id=row.id,
        staff=staff,
        name=row.name,
        back=back,
        tickets=f"/api/{'admin' if staff else 'user'}/servers/{row.id}/console",
        ready=not title,
        key=state.key,
        state=state.word,
        title=title,
        text=text,
        start=state.main if offered else None,
        words=_words(row.name),
    )
