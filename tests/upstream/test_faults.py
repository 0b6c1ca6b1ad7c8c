"""Each fault on each operation: the right one of four errors, and for writes the right number of effects."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hostwright.core.providers import Ambiguous, InstallSpec, PowerAction, ProviderError, Refused, Transient
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.simulator.company import public_key
from hostwright.upstream.virtfusion.simulator.facts import Work
from tests.support.simulator import RunningSimulator

SERVER, USER = 1001, 101
QUEUE = 1
READS: dict[str, tuple[str, Callable[[VirtFusionCompute], Awaitable[object]]]] = {
    "list_servers": ("/servers$", lambda compute: compute.list_servers()),
    "observe": (f"/servers/{SERVER}$", lambda compute: compute.observe(SERVER, power=False)),
    "observe_power": (f"/servers/{SERVER}$", lambda compute: compute.observe(SERVER, power=True)),
    "action_progress": (f"/queue/{QUEUE}$", lambda compute: compute.action_progress(QUEUE)),
    "traffic": (f"/servers/{SERVER}/traffic$", lambda compute: compute.traffic(SERVER)),
    "templates": (f"/servers/{SERVER}/templates$", lambda compute: compute.templates(SERVER)),
    "ssh_keys": (f"/ssh_keys/user/{USER}$", lambda compute: compute.ssh_keys(USER)),
    "sample": (f"/servers/{SERVER}$", lambda compute: compute.sample(SERVER)),
    "raw": (f"/servers/{SERVER}$", lambda compute: compute.raw(SERVER)),
    "hypervisors": ("/compute/hypervisors$", lambda compute: compute.hypervisors()),
    "user_of_server": (f"/servers/{SERVER}$", lambda compute: compute.user_of_server(SERVER)),
    "user_by_relation": ("/byExtRelation$", lambda compute: compute.user_by_relation(5001)),
}
WRITES: dict[str, tuple[Work, Callable[[VirtFusionCompute], Awaitable[object]]]] = {
    **{
        action.value: (Work(action.value), lambda compute, action=action: compute.act(SERVER, action))
        for action in PowerAction
    },
    "reset_password": (Work.RESET_PASSWORD, lambda compute: compute.reset_password(SERVER, windows=False)),
    "install": (Work.BUILD, lambda compute: compute.install(SERVER, InstallSpec(22, "web", None))),
    "rename": (Work.RENAME, lambda compute: compute.rename(SERVER, "web")),
    "suspend": (Work.SUSPEND, lambda compute: compute.suspend(SERVER)),
    "unsuspend": (Work.UNSUSPEND, lambda compute: compute.unsuspend(SERVER)),
    "throttle_cpu": (Work.THROTTLE, lambda compute: compute.throttle_cpu(SERVER, 50)),
    "change_owner": (Work.CHANGE_OWNER, lambda compute: compute.change_owner(SERVER, 102)),
    "add_ssh_key": (Work.ADD_KEY, lambda compute: compute.add_ssh_key(USER, "new", public_key("new", 9))),
    "delete_ssh_key": (Work.DELETE_KEY, lambda compute: compute.delete_ssh_key(1)),
}
# Answered without a body: what stands there instead says nothing, and the status that it is done.
WITHOUT_A_BODY = {"rename", "suspend", "unsuspend", "throttle_cpu", "change_owner", "delete_ssh_key"}
ON_KEYS = {"add_ssh_key", "delete_ssh_key"}

# A fault that stays: the error of a read, that of a write, and how often the write has been done in the end.
STAYING: dict[str, tuple[dict[str, object], type[ProviderError], type[ProviderError], int]] = {
    "500": ({"mode": "status", "status": 500}, Transient, Ambiguous, 0),
    "502": ({"mode": "status", "status": 502}, Transient, Ambiguous, 0),
    "503": ({"mode": "status", "status": 503}, Transient, Ambiguous, 0),
    "401": ({"mode": "status", "status": 401}, Refused, Refused, 0),
    "403": ({"mode": "status", "status": 403}, Refused, Refused, 0),
    "409": ({"mode": "status", "status": 409}, Refused, Refused, 0),
    "422": ({"mode": "status", "status": 422}, Refused, Refused, 0),
    "423": ({"mode": "status", "status": 423}, Transient, Transient, 0),
    "302": ({"mode": "status", "status": 302}, Refused, Ambiguous, 0),
    "rate_limit": ({"mode": "rate_limit", "delayMs": 60_000}, Transient, Transient, 0),
    "drop_before": ({"mode": "drop_before"}, Transient, Ambiguous, 0),
    "drop_after": ({"mode": "drop_after"}, Transient, Ambiguous, 1),
    "late": ({"mode": "late", "delayMs": 200}, Transient, Ambiguous, 1),
    "malformed": ({"mode": "malformed"}, Refused, Ambiguous, 1),
    "delay": ({"mode": "delay", "delayMs": 1_500}, Transient, Ambiguous, 1),
}


@pytest.fixture
async def impatient(compute: VirtFusionCompute, simulator: RunningSimulator) -> VirtFusionCompute:
    """Gives up after half a second. A queue item to ask for exists."""
    compute.client.settings = type(compute.client.settings)(
        total=0.5, connect=0.5, first_wait=0.01, longest_wait=0.02, reach=compute.client.settings.reach
    )
    simulator.world.begin(simulator.world.servers[1002], Work.BOOT)
    assert QUEUE in simulator.world.queue
    return compute


@pytest.mark.parametrize("fault", STAYING)
@pytest.mark.parametrize("operation", READS)
@pytest.mark.long
async def test_reads(impatient: VirtFusionCompute, simulator: RunningSimulator, operation: str, fault: str):
    path, read = READS[operation]
    rule, expected, _, _ = STAYING[fault]
    simulator.faults([{**rule, "method": "GET", "path": path}])
    with pytest.raises(expected) as caught:
        await read(impatient)
    assert type(caught.value) is expected


@pytest.mark.parametrize("fault", STAYING)
@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.long
async def test_writes(impatient: VirtFusionCompute, simulator: RunningSimulator, operation: str, fault: str):
    work, write = WRITES[operation]
    rule, _, expected, effects = STAYING[fault]
    on, path = (0, "/ssh_keys") if operation in ON_KEYS else (SERVER, f"/servers/{SERVER}/")
    simulator.faults([rule])
    if fault == "malformed" and operation in WITHOUT_A_BODY:
        await write(impatient)
    else:
        with pytest.raises(expected) as caught:
            await write(impatient)
        assert type(caught.value) is expected
    for _ in range(500):
        if simulator.world.count(on, work) == effects and not simulator.late:
            break
        await asyncio.sleep(0.02)
    assert simulator.world.count(on, work) == effects
    assert not simulator.late
    safe = expected is Transient and fault != "rate_limit"
    assert len(simulator.requests(path)) == (3 if safe else 1)


PASSING = ["500", "503", "423", "drop_before", "drop_after", "late"]


@pytest.mark.parametrize("fault", PASSING)
async def test_a_read_survives_a_fault_that_passes(compute: VirtFusionCompute, simulator: RunningSimulator, fault: str):
    simulator.faults([{**STAYING[fault][0], "times": 2}])
    listing = await compute.list_servers()
    assert len(listing.servers) == 12


async def test_a_write_survives_what_was_not_acted_on_and_is_done_once(
    compute: VirtFusionCompute, simulator: RunningSimulator
):
    simulator.faults([{"mode": "status", "status": 423, "times": 1}, {"mode": "rate_limit", "times": 1}])
    await compute.act(SERVER, PowerAction.POWEROFF)
    assert simulator.world.count(SERVER, Work.POWEROFF) == 1


async def test_what_comes_late_happens_after_the_answer_was_given_up(
    compute: VirtFusionCompute, simulator: RunningSimulator
):
    simulator.faults([{"mode": "late", "delayMs": 300, "times": 1}])
    with pytest.raises(Ambiguous):
        await compute.act(SERVER, PowerAction.POWEROFF)
    assert simulator.world.count(SERVER, Work.POWEROFF) == 0
    for _ in range(500):
        if simulator.world.count(SERVER, Work.POWEROFF):
            break
        await asyncio.sleep(0.02)
    assert simulator.world.count(SERVER, Work.POWEROFF) == 1


async def test_a_busy_server_is_transient_and_untouched(compute: VirtFusionCompute, simulator: RunningSimulator):
    simulator.world.plan = type(simulator.world.plan)(speed=0.05)
    await compute.act(SERVER, PowerAction.RESTART)
    with pytest.raises(Transient) as caught:
        await compute.act(SERVER, PowerAction.POWEROFF)
    assert caught.value.status == 423
    assert (await compute.observe(SERVER, power=True)).busy
    assert simulator.world.count(SERVER, Work.POWEROFF) == 0
