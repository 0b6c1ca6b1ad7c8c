"""One server, ready to be placed: header, power, what goes on, facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from hostwright.core.providers import Power, ServerState
from hostwright.servers.records import ActionKind, ActionRow, ActionState, ServerRow
from hostwright.servers.views import words
from hostwright.web.i18n import gettext

SHOW_DONE: Final = timedelta(seconds=20)
SHOW_FAILED: Final = timedelta(hours=1)
PENDING: Final = frozenset({ActionState.QUEUED, ActionState.SENDING, ActionState.RUNNING})


class Button(msgspec.Struct, frozen=True):
    """An action that can be asked for."""

    kind: ActionKind
    label: str
    action: str


class Step(msgspec.Struct, frozen=True):
    """A step of an action. ``mark`` is done, now, todo or failed."""

    label: str
    at: datetime | None
    mark: str


class Task(msgspec.Struct, frozen=True):
    """What goes on with a server, or how it ended."""

    title: str
    text: str
    tone: str
    steps: Sequence[Step]
    pending: bool = False
    progress: int | None = None
    retry: Button | None = None


class Notice(msgspec.Struct, frozen=True):
    """What a state means and what to do."""

    tone: str
    title: str
    text: str


class StateView(msgspec.Struct, frozen=True):
    """The state of a server at this moment: what live updates bring."""

    id: int
    base: str
    prefix: str
    name: str
    key: str
    word: str
    main: Button
    others: Sequence[Button]
    poweroff: Button | None
    can_reset: bool
    busy: bool
    reason: str
    notice: Notice | None
    task: Task | None

    @property
    def menu(self) -> list[Button]:
        """What a row's menu offers besides cutting the power."""
        return [self.main, *self.others]


def _button(base: str, server_id: int, kind: ActionKind) -> Button:
    if kind is ActionKind.RESET_PASSWORD:
        return Button(kind, words.verb(kind), f"{base}/{server_id}/reset-password")
    return Button(kind, words.verb(kind), f"{base}/{server_id}/power/{kind.value}")


def _kinds(power: Power) -> tuple[ActionKind, tuple[ActionKind, ...], bool]:
    """The main action, those in the menu, and whether cutting the power makes sense."""
    match power:
        case Power.RUNNING:
            return ActionKind.RESTART, (ActionKind.SHUTDOWN,), True
        case Power.STOPPED:
            return ActionKind.BOOT, (), False
        case Power.UNKNOWN:
            return ActionKind.RESTART, (ActionKind.BOOT, ActionKind.SHUTDOWN), True


def _notice(row: ServerRow) -> Notice | None:
    match row.state:
        case ServerState.SUSPENDED:
            return Notice(
                "warn",
                gettext("This server is suspended"),
                gettext(
                    "It does not run and cannot be started. Its disk and addresses are kept. Ask support what to do."
                ),
            )
        case ServerState.BUILDING:
            return Notice(
                "busy",
                gettext("This server is being built"),
                gettext("It can be used as soon as it is ready, usually after a few minutes. You can leave this page."),
            )
        case ServerState.FAILED:
            return Notice(
                "bad",
                gettext("Building this server failed"),
                gettext("It cannot be used. Tell support its name; nothing else of yours is affected."),
            )
        case ServerState.GONE:
            return Notice(
                "warn",
                gettext("This server no longer exists"),
                gettext("VirtFusion does not list it any more. What is shown here is the last that was known."),
            )
        case ServerState.ACTIVE if row.power is Power.UNKNOWN:
            return Notice(
                "warn",
                gettext("Whether this server runs is not known"),
                gettext("VirtFusion did not say. The state appears here as soon as it does."),
            )
        case ServerState.ACTIVE:
            return None


def _reason(row: ServerRow) -> str:
    match row.state:
        case ServerState.SUSPENDED:
            return gettext("Not possible while the server is suspended")
        case ServerState.BUILDING:
            return gettext("Not possible until the server is built")
        case ServerState.FAILED:
            return gettext("Not possible: building the server failed")
        case ServerState.GONE:
            return gettext("Not possible: the server no longer exists")
        case ServerState.ACTIVE:
            return ""


def _steps(action: ActionRow) -> list[Step]:
    sent = action.state in (ActionState.RUNNING, ActionState.SUCCEEDED) or action.external_queue_id is not None
    ended = action.finished_at is not None
    failed = action.state in (ActionState.FAILED, ActionState.UNKNOWN)
    asked = Step(gettext("Requested by %(name)s", name=action.actor_label), action.requested_at, "done")
    if failed and not sent:
        return [asked, Step(gettext("Sending"), action.finished_at, "failed")]
    hand_over = Step(
        gettext("Sent") if sent else gettext("Sending"),
        action.started_at,
        "done" if sent else "now" if action.state is ActionState.SENDING else "todo",
    )
    last = Step(
        gettext("Done")
        if action.state is ActionState.SUCCEEDED
        else gettext("Failed")
        if failed
        else words.doing(action.kind),
        action.finished_at,
        "failed" if failed else "done" if ended else "now" if sent else "todo",
    )
    return [asked, hand_over, last]


def _ended_title(action: ActionRow) -> str:
    match action.state:
        case ActionState.SUCCEEDED:
            return gettext("%(action)s: done", action=words.verb(action.kind))
        case ActionState.UNKNOWN:
            return gettext("%(action)s: no answer", action=words.verb(action.kind))
        case _:
            return gettext("%(action)s: failed", action=words.verb(action.kind))


def _untouched(row: ServerRow, action: ActionRow) -> str:
    """Why it failed, and what was not touched."""
    reason = words.said(action.error) if action.error else ""
    if action.state is ActionState.UNKNOWN:
        return reason or gettext(
            "The answer was lost, so it may or may not have happened. Look at the state before you try again."
        )
    reason = f"{reason.rstrip('.')}. " if reason else ""
    if row.power is Power.RUNNING:
        return reason + gettext("The server keeps running; its disk and settings were not touched.")
    return reason + gettext("The server's disk and settings were not touched.")


def task_of(base: str, row: ServerRow, action: ActionRow | None, now: datetime) -> Task | None:
    """The panel for the latest action; None when it ended long enough ago."""
    if action is None:
        return None
    steps = _steps(action)
    if action.state in PENDING:
        progress = action.progress if action.state is ActionState.RUNNING and action.progress > 0 else None
        text = gettext("You can leave this page; it goes on.")
        if action.state is ActionState.QUEUED and action.attempts:
            text = gettext("VirtFusion has not taken it yet. It is tried again by itself; you can leave this page.")
        return Task(words.doing(action.kind), text, "busy", steps, pending=True, progress=progress)
    since = now - (action.finished_at or action.requested_at)
    if since > (SHOW_DONE if action.state is ActionState.SUCCEEDED else SHOW_FAILED):
        return None
    if action.state is ActionState.SUCCEEDED:
        return Task(_ended_title(action), "", "ok", steps)
    retry = _button(base, row.id, action.kind) if row.state is ServerState.ACTIVE else None
    tone = "warn" if action.state is ActionState.UNKNOWN else "bad"
    return Task(_ended_title(action), _untouched(row, action), tone, steps, retry=retry)


def state_view(base: str, row: ServerRow, action: ActionRow | None, now: datetime, *, staff: bool = False) -> StateView:
    """What live updates replace. ``action`` is the latest one of the server."""
    pending = action if action is not None and action.state in PENDING else None
    main, others, can_cut = _kinds(row.power)
    if pending is not None and pending.kind is not ActionKind.RESET_PASSWORD:
        main = pending.kind
    working = words.is_working(row.state, busy=row.busy)
    busy = pending is not None or working
    word = words.work_word(pending.kind if pending else None) if busy else None
    key = words.state_key(row.state, row.power)
    return StateView(
        id=row.id,
        base=base,
        prefix="admin-" if staff else "",
        name=row.name,
        key="busy" if busy else key,
        word=word or words.state_word(key),
        main=_button(base, row.id, main),
        others=[_button(base, row.id, kind) for kind in others],
        poweroff=_button(base, row.id, ActionKind.POWEROFF) if can_cut else None,
        can_reset=row.state is ServerState.ACTIVE,
        busy=busy,
        reason=_reason(row),
        notice=_notice(row),
        task=task_of(base, row, action, now),
    )
