"""What pages say of servers, without a database: filters in links, states, what goes on, activity, the palette."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from hostwright.core.providers import Power, ServerState
from hostwright.core.scope import OwnedBy, Staff
from hostwright.servers import policy
from hostwright.servers.queries.connections import ConnectionName
from hostwright.servers.records import (
    ActionKind,
    ActionRow,
    ActionState,
    LogRow,
    PaletteRow,
    ServerCount,
    ServerKind,
    ServerRow,
)
from hostwright.servers.service import common, password, watch
from hostwright.servers.views import facts, palette, words
from hostwright.servers.views.detail import state_view
from hostwright.servers.views.rows import (
    connection_chips,
    counts_by_key,
    read_filter,
    row_view,
    silent_since,
    silent_words,
)

NOW = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)


def row(state: ServerState = ServerState.ACTIVE, power: Power = Power.RUNNING, *, busy: bool = False) -> ServerRow:
    return ServerRow(
        id=7,
        kind=ServerKind.VIRTUAL,
        connection_id=1,
        customer_id=3,
        customer_name="Northwind GmbH",
        name="web-01",
        hostname=None,
        state=state,
        power=power,
        busy=busy,
        cores=2,
        memory_mib=4096,
        disk_gib=80,
        operating_system="Debian 13",
        location="Amsterdam",
        country="nl",
        package="Standard S",
        primary_ipv4="192.0.2.7",
        primary_ipv6=None,
        created_at=NOW - timedelta(days=3),
        state_observed_at=NOW,
        power_observed_at=NOW,
        list_at=NOW - timedelta(minutes=1),
    )


def action(state: ActionState, kind: ActionKind = ActionKind.RESTART, *, ago: int = 5, progress: int = 0) -> ActionRow:
    ended = state in (ActionState.SUCCEEDED, ActionState.FAILED, ActionState.UNKNOWN)
    return ActionRow(
        id=1,
        server_id=7,
        customer_id=3,
        kind=kind,
        state=state,
        progress=progress,
        attempts=1,
        external_queue_id=5 if state is ActionState.RUNNING else None,
        error_code=None,
        error="VirtFusion refused: locked" if state is ActionState.FAILED else None,
        actor_label="Anna Kovac",
        requested_at=NOW - timedelta(seconds=ago + 2),
        started_at=NOW - timedelta(seconds=ago + 1),
        finished_at=NOW - timedelta(seconds=ago) if ended else None,
        deadline=NOW,
    )


def test_a_filter_reads_what_it_wrote() -> None:
    wanted = read_filter("/servers", {"q": " web ", "state": "running", "sort": "-createdAt", "page": "3"})
    assert wanted.link(page=3) == "/servers?q=web&state=running&sort=-createdAt&page=3"
    assert wanted.link(state="") == "/servers?q=web&sort=-createdAt"
    assert wanted.paging.offset == 40


@pytest.mark.parametrize(
    "query", [{"state": "melted"}, {"sort": "password"}, {"page": "-1"}, {"page": "x"}, {"page": "9" * 30}]
)
def test_a_filter_leaves_out_what_makes_no_sense(query: dict[str, str]) -> None:
    assert read_filter("/servers", query).link() == "/servers"


def test_a_filter_keeps_its_owner_in_every_link() -> None:
    wanted = read_filter("/admin/servers", {"owner": "5", "q": "web"}, staff=True)
    assert wanted.link(state="running") == "/admin/servers?q=web&state=running&owner=5"
    assert wanted.link(owner=None) == "/admin/servers?q=web"


def test_only_staff_can_name_an_owner() -> None:
    assert read_filter("/servers", {"owner": "5"}).customer is None
    assert read_filter("/admin/servers", {"owner": "5"}, staff=True).customer == 5


def test_running_is_an_active_server_with_power() -> None:
    found = read_filter("/servers", {"state": "running"}).query(OwnedBy(3))
    assert (found.state, found.power, found.owner) == (ServerState.ACTIVE, Power.RUNNING, 3)
    found = read_filter("/admin/servers", {"state": "gone", "owner": "9"}, staff=True).query(Staff("servers.manage"))
    assert (found.state, found.power, found.owner) == (ServerState.GONE, None, 9)


def test_counts_are_by_what_a_chip_says() -> None:
    counts = [
        ServerCount(ServerState.ACTIVE, Power.RUNNING, 3),
        ServerCount(ServerState.SUSPENDED, Power.RUNNING, 1),
        ServerCount(ServerState.SUSPENDED, Power.STOPPED, 2),
    ]
    assert counts_by_key(counts) == {"running": 3, "suspended": 3}


def test_connections_are_offered_to_staff_when_there_are_several() -> None:
    shown = read_filter("/admin/servers", {"connection": "2", "q": "web"}, staff=True)
    frankfurt, oslo = ConnectionName(1, "Frankfurt"), ConnectionName(2, "Oslo")
    assert connection_chips(shown, [frankfurt]) == []
    assert [(chip.label, chip.href, chip.current) for chip in connection_chips(shown, [frankfurt, oslo])] == [
        ("All connections", "/admin/servers?q=web", False),
        ("Frankfurt", "/admin/servers?q=web&connection=1", False),
        ("Oslo", "/admin/servers?q=web&connection=2", True),
    ]


def test_a_connection_gives_way_to_an_owner_and_is_nothing_for_customers() -> None:
    both = read_filter("/admin/servers", {"connection": "2", "owner": "5"}, staff=True)
    assert (both.customer, both.connection) == (5, None)
    assert read_filter("/servers", {"connection": "2"}).link() == "/servers"


def test_a_row_says_the_power_only_while_the_server_is_active() -> None:
    assert row_view("/servers", row(), NOW, staff=False).word == "Running"
    assert row_view("/servers", row(ServerState.SUSPENDED), NOW, staff=False).word == "Suspended"
    working = row_view("/servers", row(busy=True), NOW, staff=False)
    assert (working.key, working.word) == ("busy", "Working")
    assert row_view("/servers", row(busy=True), NOW, staff=False, kind=ActionKind.BOOT).word == "Starting"


def test_a_customer_s_row_does_not_name_its_owner() -> None:
    assert row_view("/servers", row(), NOW, staff=False).owner == ""
    assert row_view("/admin/servers", row(), NOW, staff=True).owner_href == "/admin/servers?owner=3"


def test_the_key_of_a_row_changes_only_with_what_it_shows() -> None:
    seen_later = msgspec.structs.replace(row(), list_at=NOW, state_observed_at=NOW + timedelta(seconds=9))
    assert row_view("/servers", row(), NOW, staff=False) == row_view("/servers", seen_later, NOW, staff=False)


def test_silence_is_told_after_three_minutes() -> None:
    assert silent_since([row()], NOW) is None
    silent = msgspec.structs.replace(row(), list_at=NOW - timedelta(minutes=4))
    assert silent_words([row(), silent], NOW) == "14:01 UTC"


def test_the_main_button_follows_the_power() -> None:
    assert state_view("/servers", row(), None, NOW).main.label == "Restart"
    stopped = state_view("/servers", row(power=Power.STOPPED), None, NOW)
    assert (stopped.main.label, stopped.main.action, stopped.poweroff) == ("Start", "/servers/7/power/boot", None)


def test_an_unknown_power_is_called_unknown() -> None:
    view = state_view("/servers", row(power=Power.UNKNOWN), None, NOW)
    assert (view.word, view.notice is not None, view.reason) == ("Unknown", True, "")


@pytest.mark.parametrize("state", [ServerState.SUSPENDED, ServerState.BUILDING, ServerState.FAILED, ServerState.GONE])
def test_what_cannot_be_operated_says_why(state: ServerState) -> None:
    view = state_view("/servers", row(state), None, NOW)
    assert view.reason
    assert view.notice is not None
    assert not view.can_reset


def test_a_running_action_shows_its_steps() -> None:
    view = state_view("/servers", row(), action(ActionState.RUNNING, progress=40), NOW)
    assert view.task is not None
    assert (view.word, view.busy, view.task.progress) == ("Restarting", True, 40)
    assert [step.mark for step in view.task.steps] == ["done", "done", "now"]


def test_a_failure_says_what_is_untouched_and_offers_a_retry() -> None:
    task = state_view("/servers", row(), action(ActionState.FAILED), NOW).task
    assert task is not None
    assert task.text == "VirtFusion refused: locked. The server keeps running; its disk and settings were not touched."
    assert task.retry is not None


def test_a_lost_answer_is_told_once() -> None:
    lost = msgspec.structs.replace(action(ActionState.UNKNOWN), error=watch.NO_ANSWER)
    task = state_view("/servers", row(), lost, NOW).task
    assert task is not None
    assert task.text == "VirtFusion did not say in time how it ended. Look at the state before you try again."


def test_an_action_that_waits_for_the_vendor_says_so() -> None:
    waiting = msgspec.structs.replace(action(ActionState.QUEUED), attempts=3)
    task = state_view("/servers", row(), waiting, NOW).task
    assert task is not None
    assert "has not taken it yet" in task.text
    first = state_view("/servers", row(), msgspec.structs.replace(waiting, attempts=0), NOW).task
    assert first is not None
    assert first.text == "You can leave this page; it goes on."


def test_sentences_of_the_service_can_be_translated() -> None:
    said = {watch.NO_ANSWER, watch.RESTART_LOST, *watch.TOO_LATE.values(), password.MAYBE_CHANGED}
    errors = [*policy.Conflict.__subclasses__(), common.UpstreamRefused, common.AnswerLost, common.UpstreamAway]
    said |= {error.default_message for error in errors if error.__module__ in {policy.__name__, common.__name__}}
    assert len(said) > 12
    assert said <= set(words.SAID)


def test_an_ended_action_goes_away() -> None:
    assert state_view("/servers", row(), action(ActionState.SUCCEEDED, ago=5), NOW).task is not None
    assert state_view("/servers", row(), action(ActionState.SUCCEEDED, ago=60), NOW).task is None
    assert state_view("/servers", row(), action(ActionState.FAILED, ago=7200), NOW).task is None


def test_activity_says_what_became_of_it() -> None:
    line = LogRow(1, 7, "boot", "power", "success", None, "Anna Kovac", None, NOW, NOW)
    assert facts.log_view(line).title == "Started"
    assert facts.log_view(msgspec.structs.replace(line, status="failed")).title == "Start failed"
    assert facts.log_view(msgspec.structs.replace(line, action="new_kind")).title == "New kind"


@pytest.mark.parametrize(
    ("text", "name", "kinds"),
    [
        ("Power off web", "web", [ActionKind.POWEROFF]),
        ("web  power off", "web", [ActionKind.POWEROFF]),
        ("restart web", "web", [ActionKind.RESTART]),
        ("start", "", [ActionKind.BOOT]),
        ("starting-point", "starting-point", []),
        ("Größenwahn", "größenwahn", []),
        ("power", "power", [ActionKind.POWEROFF]),
        ("re", "re", [ActionKind.RESTART, ActionKind.RESET_PASSWORD]),
        ("", "", []),
    ],
)
def test_the_palette_takes_words_apart(text: str, name: str, kinds: list[ActionKind]) -> None:
    wanted = palette.read(text)
    assert (wanted.name, list(wanted.kinds)) == (name, kinds)


def found_in_palette(text: str, row: PaletteRow, *, staff: bool = False) -> dict[str, list[tuple[str, str, bool]]]:
    mine, others = ([], [row]) if staff else ([row], [])
    groups = palette.results(text, palette.read(text), mine, others, staff=staff)
    return {heading: [(item.label, item.url, item.post) for item in items] for heading, items in groups}


def test_the_palette_finds_an_action_by_its_words() -> None:
    row = PaletteRow(7, "web-01", ServerState.ACTIVE, Power.RUNNING, "192.0.2.7", "Northwind GmbH")
    groups = found_in_palette("restart web", row)
    assert next(iter(groups)) == "Actions"
    assert groups["Actions"] == [("Restart web-01", "/servers/7/power/restart", True)]
    assert groups["Servers"] == [("web-01", "/servers/7", False)]
    assert next(iter(found_in_palette("re", row))) == "Servers"


def test_the_palette_asks_before_it_cuts_the_power() -> None:
    row = PaletteRow(7, "web-01", ServerState.ACTIVE, Power.RUNNING, "192.0.2.7", None)
    assert found_in_palette("power off web", row)["Actions"] == [("Power off web-01", "/servers/7#poweroff-7", False)]
    staff = found_in_palette("power off web", row, staff=True)
    assert staff["Actions"] == [("Power off web-01", "/admin/servers/7#admin-poweroff-7", False)]
    stopped = msgspec.structs.replace(row, power=Power.STOPPED)
    assert found_in_palette("power off web", stopped)["Actions"] == []


def test_the_palette_tells_staff_whose_a_server_is() -> None:
    row = PaletteRow(7, "web-01", ServerState.ACTIVE, Power.RUNNING, "192.0.2.7", "Northwind GmbH")
    groups = palette.results("web", palette.read("web"), [], [row], staff=True)
    assert groups[0][1][0].note == "Northwind GmbH · 192.0.2.7"


def test_every_state_has_a_word() -> None:
    for state in ServerState:
        for power in Power:
            assert words.state_word(words.state_key(state, power))
