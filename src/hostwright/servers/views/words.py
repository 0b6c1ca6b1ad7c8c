"""Words and figures for people: states, actions, sizes. Translated for the language of the request."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hostwright.core.providers import Power, ServerState
from hostwright.servers.records import ActionKind, ActionState
from hostwright.web.formats import gigabytes, mebibytes
from hostwright.web.i18n import gettext, marked

NONE: Final = "–"
STALE_AFTER: Final = timedelta(minutes=3)

STATES: Final = {
    "running": marked("Running"),
    "stopped": marked("Stopped"),
    "unknown": marked("Unknown"),
    "building": marked("Building"),
    "suspended": marked("Suspended"),
    "failed": marked("Failed"),
    "gone": marked("Gone"),
}
DOING: Final = {
    ActionKind.BOOT: marked("Starting"),
    ActionKind.SHUTDOWN: marked("Shutting down"),
    ActionKind.RESTART: marked("Restarting"),
    ActionKind.POWEROFF: marked("Powering off"),
    ActionKind.RESET_PASSWORD: marked("Resetting password"),
    ActionKind.RENAME: marked("Renaming"),
    ActionKind.SUSPEND: marked("Suspending"),
    ActionKind.UNSUSPEND: marked("Lifting suspension"),
    ActionKind.THROTTLE_CPU: marked("Limiting processor"),
    ActionKind.CHANGE_OWNER: marked("Changing owner"),
    ActionKind.INSTALL: marked("Installing"),
}
VERBS: Final = {
    ActionKind.BOOT: marked("Start"),
    ActionKind.SHUTDOWN: marked("Shut down"),
    ActionKind.RESTART: marked("Restart"),
    ActionKind.POWEROFF: marked("Power off"),
    ActionKind.RESET_PASSWORD: marked("Reset password"),
    ActionKind.RENAME: marked("Rename"),
    ActionKind.SUSPEND: marked("Suspend"),
    ActionKind.UNSUSPEND: marked("Lift suspension"),
    ActionKind.THROTTLE_CPU: marked("Limit processor"),
    ActionKind.CHANGE_OWNER: marked("Change owner"),
    ActionKind.INSTALL: marked("Reinstall"),
}
HAPPENED: Final = {
    "boot": marked("Started"),
    "shutdown": marked("Shut down"),
    "restart": marked("Restarted"),
    "poweroff": marked("Powered off"),
    "reset_password": marked("Password reset"),
    "rename": marked("Renamed"),
    "suspend": marked("Suspended"),
    "unsuspend": marked("Suspension lifted"),
    "throttle_cpu": marked("Processor limit changed"),
    "change_owner": marked("Given to another customer"),
    "install": marked("Reinstalled"),
    "vnc_connect": marked("Console opened"),
    "vnc_disconnect": marked("Console closed"),
    "vnc_enable": marked("Screen enabled"),
    "vnc_disable": marked("Screen disabled"),
    "found": marked("Added to the panel"),
    "started": marked("Started outside the panel"),
    "stopped": marked("Stopped outside the panel"),
    "power_unknown": marked("Power state not known any more"),
    "suspended": marked("Suspended"),
    "unsuspended": marked("Suspension lifted"),
    "building": marked("Being built"),
    "built": marked("Built"),
    "build_failed": marked("Building failed"),
    "gone": marked("No longer at VirtFusion"),
    "returned": marked("Back at VirtFusion"),
    "owner_changed": marked("Given to another customer"),
}

ACTION_STATES: Final = {
    ActionState.QUEUED: marked("Waiting"),
    ActionState.SENDING: marked("Being sent"),
    ActionState.RUNNING: marked("Going on"),
    ActionState.SUCCEEDED: marked("Done"),
    ActionState.FAILED: marked("Failed"),
    ActionState.UNKNOWN: marked("No answer"),
}
PROBLEMS: Final = (
    marked("must have 1 to 63 characters"),
    marked("must not hold control characters"),
    marked("must have 1 to 500 characters"),
    marked("must be a whole number from 0 to 99"),
    marked("must be a full host name such as web.example.com"),
    marked("is not a system that can be installed on this server"),
    marked("names a key that is not this customer's"),
    marked("type the name exactly as it is written here"),
    marked("choose a system"),
)
"""What the service says of one field; stands behind the field's label, so it begins small."""

SAID: Final = (
    marked("This server does not run, so it has no screen. Start it first."),
    marked("You have too many consoles open. Close one of them first."),
    marked("The server's screen does not answer."),
    marked("The server's screen stands at an address that this connection may not reach."),
    marked("What answers in the place of the server's screen is no screen."),
    marked("The server's screen does not take the password that VirtFusion names."),
    marked("VirtFusion names a place for this screen where no screen can be."),
    marked("VirtFusion does not say where the server's screen is."),
    marked("This server is suspended, so this cannot be done."),
    marked("This server is still being built. Wait until it is ready."),
    marked("Building this server failed, so this cannot be done."),
    marked("This server no longer exists."),
    marked("Something else is being done with this server. Wait until it has ended."),
    marked("This server runs already."),
    marked("This server is stopped already."),
    marked("The number changed. Look again."),
    marked("Your role at this customer does not allow operating its servers."),
    marked("VirtFusion refused this. Nothing was changed."),
    marked("VirtFusion's answer was lost, so it may or may not have happened."),
    marked("VirtFusion does not answer right now. Nothing was changed. Try again in a moment."),
    marked("VirtFusion does not know this server any more."),
    marked("VirtFusion could not be reached in time. Nothing was done."),
    marked("VirtFusion could not do it."),
    marked("The system did not shut down. Power off forces it."),
    marked("VirtFusion says it is done, but the server still runs."),
    marked("VirtFusion says it is done, but the server does not run."),
    marked("VirtFusion did not say in time how it ended. Look at the state before you try again."),
    marked("VirtFusion's answer was lost. The server runs; whether it was restarted cannot be seen."),
    marked("The answer was lost, so the password may have been changed. Reset it again."),
    marked("This server is not suspended."),
    marked("VirtFusion was asked as often as it may be. Wait a moment and try again."),
    marked("This server is suspended already."),
    marked("This server belongs to this customer already."),
    marked("This customer has no account at this server's VirtFusion. Link one first."),
    marked("Some of these servers changed since you looked. Nothing was done. Look again."),
    marked("This server was installed three times within an hour. Wait before you install it again."),
    marked("VirtFusion says it is done, but the server still has its old name."),
    marked("VirtFusion says it is done, but the server is not suspended."),
    marked("VirtFusion says it is done, but the server is still suspended."),
    marked("VirtFusion says it is done, but the server still has its old owner."),
    marked("VirtFusion could not install the system. What was on the disk is lost."),
    marked("VirtFusion's answer was lost, and the server was not seen installing anything. Look before you try again."),
)
"""Sentences of the service, which knows no languages: listed so that catalogues have them."""


def said(sentence: str) -> str:
    """Why something did not work, in the language of the request when the words are ours."""
    return gettext(sentence)


def problem(message: str) -> str:
    """What is wrong with one field, as a sentence beside it."""
    text = gettext(message)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def action_state(state: ActionState) -> str:
    """How far an action is, in a word."""
    return gettext(ACTION_STATES[state])


def state_key(state: ServerState, power: Power) -> str:
    """One word for a server: its power while it is active, otherwise its state. Styles and filters use it."""
    return power.value if state is ServerState.ACTIVE else state.value


def is_working(state: ServerState, *, busy: bool) -> bool:
    """Whether "working" says more than the state: a server that is being built is busy all the time."""
    return busy and state is ServerState.ACTIVE


def state_word(key: str) -> str:
    """A state key in words."""
    return gettext(STATES[key])


def doing(kind: ActionKind) -> str:
    """An action that goes on."""
    return gettext(DOING[kind])


def work_word(kind: ActionKind | None) -> str:
    """What goes on with a busy server; VirtFusion may be at work without our knowing at what."""
    return doing(kind) if kind is not None else gettext("Working")


def verb(kind: ActionKind) -> str:
    """What a button for an action says."""
    return gettext(VERBS[kind])


def did(action: str) -> str:
    """What was done or was seen to happen, as a line of activity."""
    return gettext(HAPPENED[action]) if action in HAPPENED else _plain(action)


def tried(action: str) -> str:
    """What was asked for, as a line of activity that has not ended well or at all."""
    if action == "vnc_connect":
        return gettext("Open console")
    return verb(ActionKind(action)) if action in ActionKind else _plain(action)


def _plain(action: str) -> str:
    return action.replace("_", " ").capitalize()


def resources(cores: int | None, memory_mib: int | None, disk_gib: int | None) -> str:
    """Cores, memory and disk on one line; a dash while nothing is known."""
    parts = [f"{cores} vCPU"] if cores is not None else []
    parts += [mebibytes(memory_mib)] if memory_mib is not None else []
    parts += [gigabytes(disk_gib)] if disk_gib is not None else []
    return " · ".join(parts) or NONE
