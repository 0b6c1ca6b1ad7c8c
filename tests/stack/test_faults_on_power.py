"""Each fault on each power action, from the request to the end of the action: nothing that cannot be repeated is sent
twice, the action ends with the truth, pages stand meanwhile, and once the fault is over the same action works.
"""

from __future__ import annotations

import pytest

from hostwright.core.providers import Power, PowerAction
from hostwright.servers import service
from hostwright.servers.policy import EXPECTED
from hostwright.servers.records import ActionRow, ActionState
from hostwright.servers.service.actions import LOG_STATUS as LOGGED
from hostwright.upstream.virtfusion.simulator.facts import Work
from tests.stack.faults import FAULTS, Meaning, meaning
from tests.stack.installation import Installation, Stands
from tests.stack.panel import log_lines

QUICK = {("500", PowerAction.BOOT), ("drop_after", PowerAction.POWEROFF), ("rate_limit", PowerAction.RESTART)}
CASES = [
    pytest.param(fault, action, marks=[] if (fault, action) in QUICK else [pytest.mark.long])
    for fault in FAULTS
    for action in PowerAction
]
ENDS = {
    Meaning.REFUSED: (ActionState.FAILED, "upstream_refused"),
    Meaning.GONE: (ActionState.FAILED, "upstream_gone"),
    Meaning.BUSY: (ActionState.FAILED, "upstream_unavailable"),
    Meaning.LOST: (ActionState.UNKNOWN, "upstream_answer_lost"),
    Meaning.DONE: (ActionState.SUCCEEDED, None),
}


def end_of(fault: str, action: PowerAction) -> tuple[ActionState, str | None]:
    """How an action ends. Whether a running server was restarted cannot be seen, so a lost answer leaves it unknown."""
    known = meaning(fault)
    return ENDS[Meaning.LOST] if known is Meaning.DONE and action is PowerAction.RESTART else ENDS[known]


@pytest.mark.parametrize(("fault", "action"), CASES)
async def test_each_fault_on_each_power_action(
    house: Installation, stands: Stands, fault: str, action: PowerAction
) -> None:
    external_id = house.stopped if action is PowerAction.BOOT else house.running
    work, known = Work(action.value), meaning(fault)
    before = await house.row(external_id)
    await house.meets(fault, "POST", "/power/")
    asked = await house.ask(external_id, action)
    assert (await stands.check(external_id))["busy"]

    ended = await house.follow(asked)
    assert (ended.state, ended.error_code) == end_of(fault, action)
    await _was_sent_rightly(house, ended, external_id, work, known)
    after = await house.row(external_id)
    done = known is Meaning.DONE
    assert (after.power, after.busy) == (EXPECTED[asked.kind] if done else before.power, False)
    assert (await house.values(log_lines, after.id))[-1] == f"{action.value}:{LOGGED[ended.state]}"
    item = await stands.check(external_id)
    assert (item["busy"], item["state"]) == (False, "active")
    await house.nothing_is_missing()

    await house.is_well()
    house.time.move(minutes=1)
    again = await house.do(external_id, action)
    assert (again.state, again.error_code, again.attempts) == (ActionState.SUCCEEDED, None, 1)
    assert house.effects(external_id, work) == done + 1
    house.time.to_the_present()
    assert (await house.mirror()).state == "done"
    await stands.check(external_id, notice=False)


async def _was_sent_rightly(
    house: Installation, ended: ActionRow, external_id: int, work: Work, known: Meaning
) -> None:
    """Only what was surely not done is sent again; a lost boot too, since starting a running server changes nothing."""
    sent = house.sent(external_id, "power/")
    assert house.effects(external_id, work) == (known is Meaning.DONE)
    assert ended.finished_at is not None
    took = (ended.finished_at - ended.requested_at).total_seconds()
    if known is Meaning.BUSY:
        assert sent > 3
        assert 540 <= took <= 600
        assert (ended.error or "").endswith("Nothing was done.")
    elif known is Meaning.LOST and work is Work.BOOT:
        assert 2 <= sent <= 8
        assert took <= 130
    else:
        assert sent == 1
        assert took <= 130


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if meaning(fault) is Meaning.BUSY])
async def test_a_vendor_that_is_busy_for_a_moment_is_asked_again(house: Installation, fault: str) -> None:
    external_id = house.running
    await house.meets(fault, "POST", "/power/", times=4)
    ended = await house.do(external_id, PowerAction.RESTART)
    assert (ended.state, ended.error_code) == (ActionState.SUCCEEDED, None)
    assert house.effects(external_id, Work.RESTART) == 1
    assert house.sent(external_id, "power/restart") == 5


async def test_a_boot_that_arrives_after_it_was_sent_again_ends_well(house: Installation) -> None:
    external_id = house.stopped
    house.vendor.faults([{"mode": "late", "method": "POST", "path": "/power/", "delayMs": 100, "times": 1}])
    asked = await house.ask(external_id, PowerAction.BOOT)
    await service.perform_action(house.database, house.providers, house.time, asked.id)
    house.time.move(seconds=20)  # nothing is seen of it for longer than a lost answer is waited for
    await service.watch_action(house.database, house.providers, house.time, asked.id, 0)
    assert (await house.action(asked.id)).state is ActionState.QUEUED
    await house.vendor_is_done()
    ended = await house.follow(await house.action(asked.id))
    assert ended.state is ActionState.SUCCEEDED
    assert (await house.row(external_id)).power is Power.RUNNING
