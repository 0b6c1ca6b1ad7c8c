"""Many servers at once: what would happen, and what became of it, ready to be placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

import msgspec

from hostwright.core.errors import Conflict
from hostwright.servers import policy
from hostwright.servers.records import ActionKind, ActionRow, ActionState, ServerRow
from hostwright.servers.service.bulk import Outcomes
from hostwright.servers.views import words
from hostwright.servers.views.detail import PENDING
from hostwright.web.i18n import gettext, ngettext

REFUSALS: Final[Mapping[str, type[Conflict]]] = {
    refusal.code: refusal
    for refusal in (
        policy.ServerSuspended,
        policy.ServerBuilding,
        policy.ServerFailed,
        policy.ServerGone,
        policy.NotSuspended,
        policy.ActionPending,
    )
}
NOT_FOUND: Final = "not_found"


class BulkLine(msgspec.Struct, frozen=True):
    """One server: what it is, and what would become or became of it. ``tone`` is that of a state."""

    id: int
    name: str
    href: str
    address: str
    owner: str
    key: str
    state: str
    word: str
    tone: str
    text: str


class BulkView(msgspec.Struct, frozen=True):
    """A selection before something is done with it. ``taken`` of them would be."""

    base: str
    kind: ActionKind
    title: str
    text: str
    button: str
    danger: bool
    ids: Sequence[int]
    seen: str
    taken: int
    lines: Sequence[BulkLine]
    changed: bool


class SummaryView(msgspec.Struct, frozen=True):
    """What became of a selection so far."""

    base: str
    title: str
    text: str
    tone: str
    pending: bool
    lines: Sequence[BulkLine]


def refusal_text(code: str) -> str:
    """Why a server was left out."""
    if code == NOT_FOUND:
        return gettext("There is no such server, or it is not yours.")
    refusal = REFUSALS.get(code)
    return words.said(refusal.default_message) if refusal else gettext("It was refused.")


def _button(kind: ActionKind, n: int) -> str:
    match kind:
        case ActionKind.BOOT:
            return ngettext("Start %(num)s server", "Start %(num)s servers", n)
        case ActionKind.SHUTDOWN:
            return ngettext("Shut down %(num)s server", "Shut down %(num)s servers", n)
        case ActionKind.RESTART:
            return ngettext("Restart %(num)s server", "Restart %(num)s servers", n)
        case ActionKind.POWEROFF:
            return ngettext("Power off %(num)s server", "Power off %(num)s servers", n)
        case ActionKind.SUSPEND:
            return ngettext("Suspend %(num)s server", "Suspend %(num)s servers", n)
        case _:
            return ngettext("Lift %(num)s suspension", "Lift %(num)s suspensions", n)


def _explained(kind: ActionKind) -> str:
    match kind:
        case ActionKind.BOOT:
            return gettext("They are switched on. What runs already stays as it is.")
        case ActionKind.SHUTDOWN:
            return gettext("Each system is asked to shut down. What does not react keeps running.")
        case ActionKind.RESTART:
            return gettext("Each system is asked to restart. Whoever uses it is interrupted for a moment.")
        case ActionKind.POWEROFF:
            return gettext("This is like pulling the plug: unsaved data may be lost.")
        case ActionKind.SUSPEND:
            return gettext("They stop and cannot be started until the suspension is lifted. Disks and addresses stay.")
        case _:
            return gettext("They can be started again. They are not started by this.")


def _line(base: str, number: int, row: ServerRow | None, *, word: str, tone: str, text: str = "") -> BulkLine:
    key = words.state_key(row.state, row.power) if row else "gone"
    working = row is not None and words.is_working(row.state, busy=row.busy)
    return BulkLine(
        id=number,
        name=row.name if row else gettext("Number %(n)s", n=number),
        href=f"{base}/{number}" if row else "",
        address=(row.primary_ipv4 or row.primary_ipv6 or "") if row else "",
        owner=(row.customer_name or "") if row and base.startswith("/admin") else "",
        key="busy" if working else key,
        state=words.work_word(None) if working else words.state_word(key) if row else gettext("Unknown"),
        word=word,
        tone=tone,
        text=text,
    )


def bulk_view(
    base: str, kind: ActionKind, found: Outcomes, rows: Mapping[int, ServerRow], *, changed: bool = False
) -> BulkView:
    """What would become of each."""
    lines = [
        _line(
            base,
            item.server_id,
            rows.get(item.server_id),
            word=words.verb(kind) if item.refusal is None else gettext("Left out"),
            tone="ok" if item.refusal is None else "warn",
            text=refusal_text(item.refusal.code) if item.refusal else "",
        )
        for item in found.items
    ]
    return BulkView(
        base=base,
        kind=kind,
        title=gettext("%(action)s: check the selection", action=words.verb(kind)),
        text=_explained(kind),
        button=_button(kind, found.taken),
        danger=kind in (ActionKind.POWEROFF, ActionKind.SUSPEND),
        ids=[item.server_id for item in found.items],
        seen=found.seen,
        taken=found.taken,
        lines=lines,
        changed=changed,
    )


def summary_url(base: str, kind: ActionKind, found: Outcomes) -> str:
    """Where it is told what becomes of each: numbers of actions, and reasons why others were left out."""
    pairs = [("action", kind.value)]
    pairs += [("a", str(item.action.id)) for item in found.items if item.action]
    pairs += [("r", f"{item.server_id}:{item.refusal.code}") for item in found.items if item.refusal]
    return f"{base}/bulk/summary?{urlencode(pairs)}"


def _became(action: ActionRow) -> tuple[str, str, str]:
    if action.state in PENDING:
        return words.doing(action.kind), "busy", ""
    match action.state:
        case ActionState.SUCCEEDED:
            return gettext("Done"), "ok", ""
        case ActionState.UNKNOWN:
            return gettext("No answer"), "warn", words.said(action.error) if action.error else ""
        case _:
            return gettext("Failed"), "bad", words.said(action.error) if action.error else ""


def summary_view(
    base: str,
    kind: ActionKind,
    actions: Sequence[ActionRow],
    refused: Sequence[tuple[int, str]],
    rows: Mapping[int, ServerRow],
) -> SummaryView:
    """What became of each so far: what went wrong first, then what goes on, then the rest."""
    lines: list[BulkLine] = []
    for action in actions:
        word, tone, text = _became(action)
        lines.append(_line(base, action.server_id, rows.get(action.server_id), word=word, tone=tone, text=text))
    lines += [
        _line(base, number, rows.get(number), word=gettext("Left out"), tone="warn", text=refusal_text(code))
        for number, code in refused
    ]
    count = {tone: sum(1 for line in lines if line.tone == tone) for tone in ("busy", "ok", "warn", "bad")}
    parts = [
        (count["ok"], gettext("%(n)s done", n=count["ok"])),
        (count["busy"], gettext("%(n)s going on", n=count["busy"])),
        (count["bad"], gettext("%(n)s failed", n=count["bad"])),
        (count["warn"], gettext("%(n)s left out or without an answer", n=count["warn"])),
    ]
    order = {"bad": 0, "warn": 1, "busy": 2, "ok": 3}
    tone = "busy" if count["busy"] else "bad" if count["bad"] else "warn" if count["warn"] else "ok"
    return SummaryView(
        base=base,
        title=words.verb(kind),
        text=", ".join(text for n, text in parts if n),
        tone=tone,
        pending=count["busy"] > 0,
        lines=sorted(lines, key=lambda line: order[line.tone]),
    )
