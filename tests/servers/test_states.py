"""What each state looks like and offers: to its customer, and to staff."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from hostwright.core.errors import AppError
from hostwright.core.providers import Power, ServerState
from hostwright.servers import policy
from hostwright.servers.records import ActionDetail, ActionKind, ActionState, ServerRow
from hostwright.servers.service import bulk, install, operations, watch
from hostwright.servers.views import words
from hostwright.servers.views.bulk import bulk_view, refusal_text, summary_view
from hostwright.servers.views.detail import StateView, state_view
from tests.pages.test_views import NOW, action, row


def view(server: ServerRow, *, staff: bool = False) -> StateView:
    return state_view("/admin/servers" if staff else "/servers", server, None, NOW, staff=staff)


def test_a_suspended_server_says_why_and_what_to_do() -> None:
    server = msgspec.structs.replace(row(ServerState.SUSPENDED, Power.STOPPED), suspend_reason="Unpaid invoice.")
    mine = view(server)
    assert mine.notice is not None
    assert (mine.notice.title, mine.notice.text) == (
        "This server is suspended",
        (
            "Reason: Unpaid invoice. It does not run and cannot be started. Its disk and addresses are kept. "
            "Ask support how it can be lifted."
        ),
    )
    assert (mine.key, mine.others, mine.poweroff, mine.can_reset) == ("suspended", [], None, False)
    assert mine.reason == "Not possible while the server is suspended"
    assert ActionKind.UNSUSPEND not in mine.can
    theirs = view(server, staff=True)
    assert (theirs.main.kind, theirs.main.action, theirs.reason) == (
        ActionKind.UNSUSPEND,
        "/admin/servers/7/unsuspend",
        "",
    )


def test_work_that_was_not_begun_here_is_told() -> None:
    busy = view(row(busy=True))
    assert (busy.key, busy.word, busy.busy) == ("busy", "Working", True)
    assert busy.notice is not None
    assert busy.notice.title == "VirtFusion is working on this server"
    ours = state_view("/servers", row(busy=True), action(ActionState.RUNNING), NOW)
    assert ours.notice is None


def test_a_failed_server_offers_to_be_installed() -> None:
    failed = view(row(ServerState.FAILED, Power.UNKNOWN))
    assert failed.can == {ActionKind.RENAME, ActionKind.INSTALL}
    assert (failed.poweroff, failed.can_reset) == (None, False)


@pytest.mark.parametrize("state", [ServerState.BUILDING, ServerState.GONE])
def test_nothing_can_be_asked_of_what_is_not_there(state: ServerState) -> None:
    assert view(row(state, Power.UNKNOWN)).can == frozenset()
    assert view(row(state, Power.UNKNOWN), staff=True).can == frozenset()


def test_a_limit_is_told_to_its_customer() -> None:
    slow = view(msgspec.structs.replace(row(), cpu_throttle=40))
    assert slow.notice is not None
    assert slow.notice.text.startswith("40 % of its processor time is taken away")
    assert view(msgspec.structs.replace(row(), cpu_throttle=0)).notice is None


def test_an_installation_shows_its_steps_and_hides_the_notice() -> None:
    going = msgspec.structs.replace(
        action(ActionState.RUNNING, ActionKind.INSTALL, progress=51), detail=ActionDetail(template="Debian 13")
    )
    shown = state_view("/servers", row(ServerState.BUILDING, Power.UNKNOWN), going, NOW)
    assert shown.notice is None
    assert shown.task is not None
    assert (shown.task.title, shown.task.progress) == ("Installing Debian 13", 51)
    assert [(step.label, step.mark) for step in shown.task.steps[1:]] == [
        ("Sent", "done"),
        ("Installing Debian 13", "now"),
        ("Started", "todo"),
    ]


def test_a_failed_installation_leads_back_to_its_page() -> None:
    failed = msgspec.structs.replace(
        action(ActionState.FAILED, ActionKind.INSTALL, progress=60),
        detail=ActionDetail(template_id=11, template="Debian 13"),
        error=watch.NOT_INSTALLED,
    )
    task = state_view("/servers", row(ServerState.FAILED, Power.UNKNOWN), failed, NOW).task
    assert task is not None
    assert task.retry is not None
    assert (task.retry.action, task.retry.link) == ("/servers/7/reinstall?template=11", True)
    assert task.text == (
        "VirtFusion could not install the system. What was on the disk is lost. "
        "Install it again; addresses and plan stay as they are."
    )


def test_an_installation_that_was_not_sent_lost_nothing() -> None:
    failed = msgspec.structs.replace(action(ActionState.FAILED, ActionKind.INSTALL), error="Busy.")
    task = state_view("/servers", row(), failed, NOW).task
    assert task is not None
    assert task.text == "Busy. Nothing was installed: what is on the disk was not touched."


def test_what_staff_did_is_not_for_customers_to_try_again() -> None:
    failed = msgspec.structs.replace(
        action(ActionState.FAILED, ActionKind.THROTTLE_CPU), detail=ActionDetail(percent=40)
    )
    mine = state_view("/servers", row(), failed, NOW).task
    theirs = state_view("/admin/servers", row(), failed, NOW, staff=True).task
    assert mine is not None
    assert theirs is not None
    assert mine.retry is None
    assert theirs.retry is not None
    assert theirs.retry.fields == {"percent": "40"}


def test_every_kind_has_words() -> None:
    for kind in ActionKind:
        assert words.verb(kind)
        assert words.doing(kind)
        assert words.did(kind.value)
        for state in ActionState:
            found = state_view("/servers", row(), action(state, kind), NOW)
            assert found.task is not None
            assert words.action_state(state)
    for kind in ActionKind:
        long_ago = state_view("/servers", row(), action(ActionState.SUCCEEDED, kind, ago=3600), NOW)
        assert long_ago.task is None


def test_sentences_of_the_operations_can_be_translated() -> None:
    said = {watch.NOT_INSTALLED, watch.INSTALL_LOST, install.TOO_MANY}
    errors: list[type[AppError]] = [operations.SameOwner, operations.NoAccount, bulk.SelectionChanged]
    said |= {error.default_message for error in [*errors, policy.NotSuspended]}
    assert said <= set(words.SAID)


def test_an_address_cannot_put_words_into_a_summary() -> None:
    assert refusal_text("<b>owned</b>") == "It was refused."
    assert refusal_text("not_found") == "There is no such server, or it is not yours."


def test_a_summary_puts_first_what_needs_a_look() -> None:
    actions = [
        msgspec.structs.replace(action(state), id=number, server_id=number)
        for number, state in enumerate((ActionState.SUCCEEDED, ActionState.RUNNING, ActionState.FAILED), 1)
    ]
    rows = {number: msgspec.structs.replace(row(), id=number) for number in (1, 2, 3, 4)}
    found = summary_view("/servers", ActionKind.RESTART, actions, [(4, "server_suspended")], rows)
    assert found.text == "1 done, 1 going on, 1 failed, 1 left out or without an answer"
    assert [line.tone for line in found.lines] == ["bad", "warn", "busy", "ok"]
    assert found.pending


def test_a_selection_says_what_would_happen() -> None:
    outcomes = bulk.Outcomes([bulk.Outcome(7, "web-01"), bulk.Outcome(9, None, refusal=policy.ServerGone())], "s")
    found = bulk_view("/admin/servers", ActionKind.SUSPEND, outcomes, {7: row()})
    assert (found.button, found.danger, found.taken) == ("Suspend 1 server", True, 1)
    assert [(line.name, line.word, line.owner) for line in found.lines] == [
        ("web-01", "Suspend", "Northwind GmbH"),
        ("Number 9", "Left out", ""),
    ]


def test_an_installation_is_shown_longer_than_a_restart() -> None:
    done = action(ActionState.SUCCEEDED, ActionKind.INSTALL, ago=int(timedelta(minutes=5).total_seconds()))
    task = state_view("/servers", row(), done, NOW).task
    assert task is not None
    assert task.text == "Reset the password to get one that you can sign in with."
