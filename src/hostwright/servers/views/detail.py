"""One server, ready to be placed: header, power, what goes on, facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from hostwright.core.providers import Power, ServerState
from hostwright.servers.policy import ACTIVE, ALLOWED, is_windows
from hostwright.servers.records import ActionKind, ActionRow, ActionState, ServerRow
from hostwright.servers.views import words
from hostwright.web.i18n import gettext

SHOW_DONE: Final = timedelta(seconds=20)
SHOW_INSTALLED: Final = timedelta(minutes=15)
SHOW_FAILED: Final = timedelta(hours=1)
POWER: Final = frozenset({ActionKind.BOOT, ActionKind.SHUTDOWN, ActionKind.RESTART, ActionKind.POWEROFF})
PENDING: Final = frozenset({ActionState.QUEUED, ActionState.SENDING, ActionState.RUNNING})


class Button(msgspec.Struct, frozen=True):
    """An action that can be asked for; ``fields`` go with it, ``link`` says that a page asks for it."""

    kind: ActionKind
    label: str
    action: str
    fields: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    link: bool = False


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
    can: frozenset[ActionKind]
    staff: bool
    throttle: int
    busy: bool
    reason: str
    notice: Notice | None
    task: Task | None

    @property
    def menu(self) -> list[Button]:
        """What a row's menu offers besides cutting the power."""
        return [self.main, *self.others]


STAFF_ONLY: Final = frozenset(
    {ActionKind.SUSPEND, ActionKind.UNSUSPEND, ActionKind.THROTTLE_CPU, ActionKind.CHANGE_OWNER}
)
PATHS: Final = {
    ActionKind.RESET_PASSWORD: "reset-password",
    ActionKind.RENAME: "rename",
    ActionKind.SUSPEND: "suspend",
    ActionKind.UNSUSPEND: "unsuspend",
    ActionKind.THROTTLE_CPU: "throttle",
    ActionKind.CHANGE_OWNER: "owner",
    ActionKind.INSTALL: "reinstall",
}


def _button(base: str, server_id: int, kind: ActionKind) -> Button:
    path = PATHS.get(kind, f"power/{kind.value}")
    return Button(kind, words.verb(kind), f"{base}/{server_id}/{path}", link=kind is ActionKind.INSTALL)


def _retry(base: str, row: ServerRow, action: ActionRow, *, staff: bool) -> Button | None:
    """The same again, with what was asked for then; None where it cannot be, or may not."""
    if row.state not in ALLOWED.get(action.kind, ACTIVE) or (action.kind in STAFF_ONLY and not staff):
        return None
    button, detail = _button(base, row.id, action.kind), action.detail
    if action.kind is ActionKind.INSTALL:
        return msgspec.structs.replace(button, action=f"{button.action}?template={detail.template_id}")
    fields = {
        ActionKind.RENAME: {"name": detail.name},
        ActionKind.SUSPEND: {"reason": detail.reason},
        ActionKind.THROTTLE_CPU: {"percent": str(detail.percent)},
        ActionKind.CHANGE_OWNER: {"customer_id": str(detail.customer_id)},
    }
    return msgspec.structs.replace(button, fields=fields.get(action.kind, {}))


def _kinds(power: Power) -> tuple[ActionKind, tuple[ActionKind, ...], bool]:
    """The main action, those in the menu, and whether cutting the power makes sense."""
    match power:
        case Power.RUNNING:
            return ActionKind.RESTART, (ActionKind.SHUTDOWN,), True
        case Power.STOPPED:
            return ActionKind.BOOT, (), False
        case Power.UNKNOWN:
            return ActionKind.RESTART, (ActionKind.BOOT, ActionKind.SHUTDOWN), True


def _suspended(row: ServerRow, *, staff: bool) -> Notice:
    text = gettext("It does not run and cannot be started. Its disk and addresses are kept.")
    if row.suspend_reason:
        text = gettext("Reason: %(reason)s", reason=row.suspend_reason.rstrip(".")) + ". " + text
    if staff:
        text += " " + gettext("Lift the suspension to let its customer start it again.")
    else:
        text += " " + gettext("Ask support how it can be lifted.")
    return Notice("warn", gettext("This server is suspended"), text)


def _of_active(row: ServerRow, *, busy_elsewhere: bool, staff: bool) -> Notice | None:
    """What can be told of a server that works: what VirtFusion does to it, that nothing is known, that it is slowed."""
    if busy_elsewhere:
        return Notice(
            "busy",
            gettext("VirtFusion is working on this server"),
            gettext("That was not started here. Wait until it has ended: it shows here by itself."),
        )
    if row.power is Power.UNKNOWN:
        return Notice(
            "warn",
            gettext("Whether this server runs is not known"),
            gettext("VirtFusion did not say. The state appears here as soon as it does."),
        )
    if row.cpu_throttle:
        text = gettext(
            "%(percent)s %% of its processor time is taken away, so it is slower than its plan.",
            percent=row.cpu_throttle,
        )
        if not staff:
            text += " " + gettext("Ask support why.")
        return Notice("warn", gettext("This server's processor is limited"), text)
    return None


def _notice(row: ServerRow, *, pending: ActionRow | None, staff: bool) -> Notice | None:
    match row.state:
        case ServerState.SUSPENDED:
            return _suspended(row, staff=staff)
        case ServerState.BUILDING:
            if pending is not None and pending.kind is ActionKind.INSTALL:
                return None  # what goes on stands there already, step by step
            return Notice(
                "busy",
                gettext("This server is being built"),
                gettext("It can be used as soon as it is ready, usually after a few minutes. You can leave this page."),
            )
        case ServerState.FAILED:
            return Notice(
                "bad",
                gettext("Building this server failed"),
                gettext(
                    "It cannot be used as it is. Reinstall it, or tell support its name; nothing else is affected."
                ),
            )
        case ServerState.GONE:
            return Notice(
                "warn",
                gettext("This server no longer exists"),
                gettext("VirtFusion does not list it any more. What is shown here is the last that was known."),
            )
        case ServerState.ACTIVE:
            return _of_active(row, busy_elsewhere=row.busy and pending is None, staff=staff)


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


def _was_sent(action: ActionRow) -> bool:
    taken = action.state in (ActionState.RUNNING, ActionState.SUCCEEDED) or action.external_queue_id is not None
    return taken or (action.kind is ActionKind.INSTALL and action.progress > 0)


def doing_in_full(action: ActionRow) -> str:
    """An action that goes on, with what it is about."""
    detail = action.detail
    if action.kind is ActionKind.INSTALL and detail.template:
        return gettext("Installing %(system)s", system=detail.template)
    if action.kind is ActionKind.RENAME and detail.name:
        return gettext("Renaming to %(name)s", name=detail.name)
    return words.doing(action.kind)


def _steps(action: ActionRow) -> list[Step]:
    sent = _was_sent(action)
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
        else doing_in_full(action),
        action.finished_at,
        "failed" if failed else "done" if ended else "now" if sent else "todo",
    )
    if action.kind is not ActionKind.INSTALL or not sent:
        return [asked, hand_over, last]
    installed = action.state is ActionState.SUCCEEDED
    middle = Step(doing_in_full(action), None, "done" if installed else "failed" if failed else "now")
    if failed:
        return [asked, hand_over, msgspec.structs.replace(middle, at=action.finished_at)]
    end = Step(gettext("Started"), action.finished_at, "done" if installed else "todo")
    return [asked, hand_over, middle, end]


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
    if action.kind is ActionKind.INSTALL:
        if not _was_sent(action):
            return reason + gettext("Nothing was installed: what is on the disk was not touched.")
        return reason + gettext("Install it again; addresses and plan stay as they are.")
    if row.power is Power.RUNNING:
        return reason + gettext("The server keeps running; its disk and settings were not touched.")
    return reason + gettext("The server's disk and settings were not touched.")


def _shown_for(kind: ActionKind) -> timedelta:
    return SHOW_INSTALLED if kind is ActionKind.INSTALL else SHOW_DONE


def _afterwards(row: ServerRow, action: ActionRow) -> str:
    """What to do next, where that is not plain."""
    if action.kind is not ActionKind.INSTALL:
        return ""
    if action.detail.ssh_key_ids and not is_windows(row.operating_system):
        return gettext("Sign in with your SSH key, or reset the password to get one.")
    return gettext("Reset the password to get one that you can sign in with.")


def task_of(base: str, row: ServerRow, action: ActionRow | None, now: datetime, *, staff: bool = False) -> Task | None:
    """The panel for the latest action; None when it ended long enough ago."""
    if action is None:
        return None
    steps = _steps(action)
    if action.state in PENDING:
        counted = action.state is ActionState.RUNNING and action.external_queue_id is not None and action.progress > 0
        progress = action.progress if counted else None
        text = gettext("You can leave this page; it goes on.")
        if action.state is ActionState.QUEUED and action.attempts:
            text = gettext("VirtFusion has not taken it yet. It is tried again by itself; you can leave this page.")
        return Task(doing_in_full(action), text, "busy", steps, pending=True, progress=progress)
    since = now - (action.finished_at or action.requested_at)
    if since > (SHOW_FAILED if action.state is not ActionState.SUCCEEDED else _shown_for(action.kind)):
        return None
    if action.state is ActionState.SUCCEEDED:
        return Task(_ended_title(action), _afterwards(row, action), "ok", steps)
    retry = _retry(base, row, action, staff=staff)
    tone = "warn" if action.state is ActionState.UNKNOWN else "bad"
    return Task(_ended_title(action), _untouched(row, action), tone, steps, retry=retry)


def state_view(base: str, row: ServerRow, action: ActionRow | None, now: datetime, *, staff: bool = False) -> StateView:
    """What live updates replace. ``action`` is the latest one of the server."""
    pending = action if action is not None and action.state in PENDING else None
    main, others, can_cut = _kinds(row.power)
    if pending is not None and pending.kind in POWER:
        main = pending.kind
    elif row.state is ServerState.SUSPENDED and staff:
        main, others, can_cut = ActionKind.UNSUSPEND, (), False
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
        others=[_button(base, row.id, kind) for kind in others] if row.state is ServerState.ACTIVE else [],
        poweroff=_button(base, row.id, ActionKind.POWEROFF) if can_cut and row.state is ServerState.ACTIVE else None,
        can_reset=row.state is ServerState.ACTIVE,
        can=_possible(row, staff=staff),
        staff=staff,
        throttle=row.cpu_throttle or 0,
        busy=busy,
        reason="" if main is ActionKind.UNSUSPEND else _reason(row),
        notice=_notice(row, pending=pending, staff=staff),
        task=task_of(base, row, action, now, staff=staff),
    )


def _possible(row: ServerRow, *, staff: bool) -> frozenset[ActionKind]:
    """What else can be asked of a server as it stands."""
    kinds = frozenset(kind for kind, states in ALLOWED.items() if row.state in states)
    return kinds if staff else kinds - STAFF_ONLY
