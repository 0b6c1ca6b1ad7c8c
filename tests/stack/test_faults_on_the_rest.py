"""Each fault on everything but power: password, traffic, the mirror's list and details, and what follows an action."""

from __future__ import annotations

from datetime import datetime

import pytest

from hostwright.core.providers import Power, PowerAction
from hostwright.servers.records import ActionKind, ActionState
from hostwright.upstream.virtfusion.simulator.facts import Work
from tests.stack.faults import FAULTS, Meaning, meaning
from tests.stack.installation import Installation, Stands, latest_action, run_states, versions
from tests.stack.panel import log_lines
from tests.support.app import refused

QUICK = ("403", "503")
EACH = pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=[] if fault in QUICK else [pytest.mark.long]) for fault in FAULTS]
)
RESETS = {
    Meaning.REFUSED: (502, "upstream_refused", ActionState.FAILED, "upstream_refused"),
    Meaning.GONE: (409, "server_gone", ActionState.FAILED, "upstream_gone"),
    Meaning.BUSY: (503, "upstream_unavailable", ActionState.FAILED, "upstream_unavailable"),
    Meaning.LOST: (502, "upstream_answer_lost", ActionState.UNKNOWN, "upstream_answer_lost"),
    Meaning.DONE: (502, "upstream_answer_lost", ActionState.UNKNOWN, "upstream_answer_lost"),
}


@EACH
async def test_each_fault_on_a_password_reset(house: Installation, stands: Stands, fault: str) -> None:
    external_id = house.running
    server_id = (await house.row(external_id)).id
    path = f"/api/user/servers/{server_id}/reset-password"
    await house.meets(fault, "POST", "/resetPassword")
    answer = await stands.program.post(path)
    await house.vendor_is_done()

    known = meaning(fault)
    status, code, state, error_code = RESETS[known]
    refused(answer, status, code)
    if known is Meaning.BUSY:
        assert answer.headers["retry-after"] == ("40" if fault == "rate_limit" else "5")
    action = await house.action(await house.value(latest_action, server_id))
    assert (action.kind, action.state, action.error_code) == (ActionKind.RESET_PASSWORD, state, error_code)
    assert action.finished_at is not None
    assert house.effects(external_id, Work.RESET_PASSWORD) == (known is Meaning.DONE)
    # Only what was surely not done was asked for again, unless the vendor wanted a longer wait than a person has.
    assert house.sent(external_id, "resetPassword") == (3 if fault in ("423", "429") else 1)
    item = await stands.check(external_id)
    assert (item["busy"], item["state"]) == (False, "active")
    await house.nothing_is_missing()

    await house.is_well()
    house.time.to_the_present()
    again = await stands.program.post(path)
    assert again.status_code == 200, again.text
    assert len(again.json()["password"]) == 20
    ended = await house.follow(await house.action(again.json()["actionId"]))
    assert ended.state is ActionState.SUCCEEDED


@EACH
async def test_each_fault_on_traffic(house: Installation, stands: Stands, fault: str) -> None:
    external_id = house.running
    server_id = (await house.row(external_id)).id
    path, page = f"/api/user/servers/{server_id}/traffic", f"/servers/{server_id}/traffic"
    await house.meets(fault, "GET", "/traffic$")
    answer = await stands.program.get(path)
    if meaning(fault) is Meaning.GONE:
        refused(answer, 409, "server_gone")
    else:
        refused(answer, 503, "upstream_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    shown = await stands.browser.get(page)
    assert shown.status_code == 200
    assert "Traffic cannot be shown right now" in shown.text
    await stands.check(external_id)
    await house.nothing_is_missing()

    await house.is_well()
    house.time.move(minutes=1)
    answer = await stands.program.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.json()["periods"]
    assert "Traffic by month" in (await stands.browser.get(page)).text


@EACH
async def test_each_fault_on_the_list(house: Installation, stands: Stands, fault: str) -> None:
    external_id = house.running
    as_of = datetime.fromisoformat((await stands.check(external_id))["stateObservedAt"])
    before = await house.values(versions)
    await house.meets(fault, "GET", "/servers$")
    errors: set[str | None] = set()
    for _ in range(4):
        house.time.move(minutes=11)
        outcome = await house.mirror()
        assert (outcome.state, outcome.gone, outcome.missing) == ("failed", 0, 0)
        errors.add(outcome.error)
    await house.vendor_is_done()
    assert (await house.values(run_states))[-4:] == ["failed"] * 4
    health = await house.health()
    assert {health.last_error} <= errors - {None}
    assert health.last_error_at == house.time.now()
    assert await house.values(versions) == before
    await stands.check(external_id, as_of=as_of)
    await house.nothing_is_missing()

    await house.is_well()
    new = house.world.add(house.world.servers[external_id].owner_id, "made-meanwhile")
    house.time.to_the_present()
    outcome = await house.mirror()
    assert (outcome.state, outcome.created, outcome.changed) == ("done", 1, 0)
    assert (await house.row(new.id)).customer_id == house.owner.customer_id
    assert (await house.health()).last_error is None
    await stands.check(external_id, as_of=house.time.now(), notice=False)


@EACH
async def test_each_fault_on_details(house: Installation, stands: Stands, fault: str) -> None:
    external_id = house.running
    before = await house.row(external_id)
    as_of = datetime.fromisoformat((await stands.check(external_id))["stateObservedAt"])
    house.world.servers[external_id].running = False
    await house.meets(fault, "GET", r"/servers/\d+$")
    house.time.move(minutes=2)
    outcome = await house.details()
    await house.vendor_is_done()
    assert (outcome.stored, outcome.changed, outcome.lost) == (0, 0, outcome.calls)
    assert outcome.calls >= 5
    row = await house.row(external_id)
    assert (row.state, row.power, row.power_observed_at) == (before.state, Power.RUNNING, before.power_observed_at)
    await stands.check(external_id, as_of=as_of)
    await house.nothing_is_missing()

    await house.is_well()
    house.time.move(minutes=2)
    stored = (await house.details()).stored  # one alone when the vendor was left alone: it finds out
    outcome = await house.details()
    assert (stored + outcome.stored, outcome.lost, outcome.error) == (12, 0, None)
    row = await house.row(external_id)
    assert (row.power, row.power_observed_at) == (Power.STOPPED, house.time.now())
    assert (await house.values(log_lines, row.id))[-1] == "stopped:success"


@EACH
@pytest.mark.parametrize("action", [PowerAction.POWEROFF, PowerAction.RESTART])
async def test_each_fault_on_the_queue_item(
    house: Installation, stands: Stands, fault: str, action: PowerAction
) -> None:
    """A queue that says no leaves the word to the server itself; one that says nothing is asked until the deadline."""
    external_id = house.running
    asked = await house.ask(external_id, action)
    await house.meets(fault, "GET", "/queue/")
    ended = await house.follow(asked)
    assert ended.finished_at is not None
    took = (ended.finished_at - ended.requested_at).total_seconds()
    known = meaning(fault)
    if known is Meaning.GONE or (known is Meaning.REFUSED and action is PowerAction.POWEROFF):
        assert (ended.state, ended.error_code) == (ActionState.SUCCEEDED, None)
        assert took < 30
    elif known is Meaning.REFUSED:
        assert (ended.state, ended.error_code) == (ActionState.UNKNOWN, "upstream_answer_lost")
        assert took < 30
    else:
        assert (ended.state, ended.error_code) == (ActionState.UNKNOWN, "deadline")
        assert 600 <= took < 660
    assert house.sent(external_id, "power/") == house.effects(external_id, Work(action.value)) == 1
    assert not (await stands.check(external_id))["busy"]
    await house.nothing_is_missing()

    await house.is_well()
    house.time.move(minutes=2)
    await house.details()
    stopped = action is PowerAction.POWEROFF
    assert (await house.row(external_id)).power is (Power.STOPPED if stopped else Power.RUNNING)
    assert (await house.do(external_id, PowerAction.RESTART)).state is ActionState.SUCCEEDED


@EACH
async def test_each_fault_that_passes_on_the_queue_item(house: Installation, fault: str) -> None:
    external_id = house.running
    asked = await house.ask(external_id, PowerAction.POWEROFF)
    await house.meets(fault, "GET", "/queue/", times=7)
    ended = await house.follow(asked)
    assert (ended.state, ended.error_code) == (ActionState.SUCCEEDED, None)
    assert house.effects(external_id, Work.POWEROFF) == 1
    assert (await house.row(external_id)).power is Power.STOPPED


@EACH
async def test_each_fault_on_the_look_that_ends_an_action(house: Installation, stands: Stands, fault: str) -> None:
    external_id = house.running
    asked = await house.ask(external_id, PowerAction.POWEROFF)
    await house.meets(fault, "GET", r"/servers/\d+$")
    ended = await house.follow(asked)
    gone = meaning(fault) is Meaning.GONE
    wanted = (ActionState.FAILED, "upstream_gone") if gone else (ActionState.UNKNOWN, "deadline")
    assert (ended.state, ended.error_code) == wanted
    assert house.sent(external_id, "power/") == 1
    item = await stands.check(external_id)
    assert (item["busy"], item["state"]) == (False, "active")
    await house.nothing_is_missing()

    await house.is_well()
    house.time.move(minutes=2)
    await house.details()
    assert (await house.row(external_id)).power is Power.STOPPED
