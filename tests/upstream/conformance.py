"""What every `ComputeProvider` has to do, whatever is behind it. Run it with ``parametrize("check", CHECKS)``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest

from hostwright.core.providers import ActionTicket, Gone, InstallSpec, Power, PowerAction, ServerState
from hostwright.servers.ports import ComputeProvider

TURNS = 2_000
UNKNOWN = 987_654_321


class Subject(msgspec.Struct):
    """A provider and one of its servers, which runs and is active.

    ``pause`` lets its work go on; ``other_user`` is not its owner.
    """

    provider: ComputeProvider
    running: int
    pause: float = 0.0
    other_user: int = 200


async def finish(subject: Subject, ticket: ActionTicket) -> None:
    """Follow an action to its good end; it never goes backwards."""
    last = 0
    for _ in range(TURNS if ticket.queue_id is not None else 0):
        progress = await subject.provider.action_progress(ticket.queue_id or 0)
        assert last <= progress.progress <= 100
        last = progress.progress
        if progress.finished:
            assert (progress.failed, progress.progress, progress.error) == (False, 100, None)
            return
        await asyncio.sleep(subject.pause)
    assert ticket.queue_id is None


async def becomes(subject: Subject, power: Power) -> None:
    """Wait until a server is seen like this."""
    for _ in range(TURNS):
        if (await subject.provider.observe(subject.running, power=True)).power is power:
            return
        await asyncio.sleep(subject.pause)
    pytest.fail(f"never seen {power}")


async def a_working_connection_is_called_so(subject: Subject) -> None:
    check = await subject.provider.check()
    assert (check.ok, check.problem) == (True, None)


async def the_list_is_complete_and_dated(subject: Subject) -> None:
    listing = await subject.provider.list_servers()
    ids = [server.external_id for server in listing.servers]
    assert subject.running in ids
    assert len(set(ids)) == len(ids)
    assert listing.calls >= 1
    assert all(server.created_at and server.created_at.utcoffset() == timedelta(0) for server in listing.servers)
    assert all(server.name for server in listing.servers)


async def list_and_detail_agree(subject: Subject) -> None:
    for listed in (await subject.provider.list_servers()).servers:
        seen = await subject.provider.observe(listed.external_id, power=False)
        assert (seen.external_id, seen.name, seen.state, seen.external_owner_id, seen.created_at) == (
            listed.external_id,
            listed.name,
            listed.state,
            listed.external_owner_id,
            listed.created_at,
        )


async def power_is_only_told_when_asked_for(subject: Subject) -> None:
    assert (await subject.provider.observe(subject.running, power=False)).power is None
    seen = await subject.provider.observe(subject.running, power=True)
    assert (seen.power, seen.state) == (Power.RUNNING, ServerState.ACTIVE)


async def each_version_has_one_primary_address(subject: Subject) -> None:
    seen = await subject.provider.observe(subject.running, power=False)
    assert seen.addresses is not None
    primary = [address.version for address in seen.addresses if address.primary]
    assert sorted(primary) == sorted({address.version for address in seen.addresses})
    assert len({address.address for address in seen.addresses}) == len(seen.addresses)


async def what_is_unknown_is_gone(subject: Subject) -> None:
    with pytest.raises(Gone):
        await subject.provider.observe(UNKNOWN, power=False)
    with pytest.raises(Gone):
        await subject.provider.observe(UNKNOWN, power=True)
    with pytest.raises(Gone):
        await subject.provider.act(UNKNOWN, PowerAction.BOOT)
    with pytest.raises(Gone):
        await subject.provider.action_progress(UNKNOWN)
    for ask in (
        subject.provider.suspend(UNKNOWN),
        subject.provider.unsuspend(UNKNOWN),
        subject.provider.rename(UNKNOWN, "web"),
        subject.provider.throttle_cpu(UNKNOWN, 10),
        subject.provider.change_owner(UNKNOWN, subject.other_user),
        subject.provider.install(UNKNOWN, InstallSpec(22, "web", None)),
        subject.provider.templates(UNKNOWN),
        subject.provider.raw(UNKNOWN),
    ):
        with pytest.raises(Gone):
            await ask


async def changes_show_at_once_and_can_be_sent_again(subject: Subject) -> None:
    for _ in range(2):
        await finish(subject, await subject.provider.rename(subject.running, "renamed"))
        await finish(subject, await subject.provider.throttle_cpu(subject.running, 50))
        await finish(subject, await subject.provider.change_owner(subject.running, subject.other_user))
        seen = await subject.provider.observe(subject.running, power=False)
        assert (seen.name, seen.external_owner_id) == ("renamed", subject.other_user)


async def a_suspended_server_stands_still_until_it_is_let_go(subject: Subject) -> None:
    for _ in range(2):
        await finish(subject, await subject.provider.suspend(subject.running))
        seen = await subject.provider.observe(subject.running, power=True)
        assert (seen.state, seen.power) == (ServerState.SUSPENDED, Power.STOPPED)
    for _ in range(2):
        await finish(subject, await subject.provider.unsuspend(subject.running))
        assert (await subject.provider.observe(subject.running, power=False)).state is ServerState.ACTIVE
    await finish(subject, await subject.provider.act(subject.running, PowerAction.BOOT))
    await becomes(subject, Power.RUNNING)


async def power_actions_do_what_they_say(subject: Subject) -> None:
    for action, power in (
        (PowerAction.POWEROFF, Power.STOPPED),
        (PowerAction.BOOT, Power.RUNNING),
        (PowerAction.RESTART, Power.RUNNING),
        (PowerAction.SHUTDOWN, Power.STOPPED),
        (PowerAction.BOOT, Power.RUNNING),
    ):
        await finish(subject, await subject.provider.act(subject.running, action))
        await becomes(subject, power)


async def a_password_is_given_and_not_shown(subject: Subject) -> None:
    for windows in (False, True):
        reset = await subject.provider.reset_password(subject.running, windows=windows)
        assert len(reset.password) >= 8
        assert reset.password not in repr(reset)
        await finish(subject, ActionTicket(reset.queue_id))


async def traffic_comes_newest_first(subject: Subject) -> None:
    months = await subject.provider.traffic(subject.running)
    assert months
    assert months == sorted(months, key=lambda month: month.start, reverse=True)
    for month in months:
        assert month.start <= month.end
        assert month.start.utcoffset() == month.end.utcoffset() == timedelta(0)
        assert month.total_bytes == month.received_bytes + month.sent_bytes
        assert month.limit_gb is None or month.limit_gb > 0


CHECKS: list[Callable[[Subject], Awaitable[None]]] = [
    a_working_connection_is_called_so,
    the_list_is_complete_and_dated,
    list_and_detail_agree,
    power_is_only_told_when_asked_for,
    each_version_has_one_primary_address,
    what_is_unknown_is_gone,
    power_actions_do_what_they_say,
    a_password_is_given_and_not_shown,
    traffic_comes_newest_first,
    changes_show_at_once_and_can_be_sent_again,
    a_suspended_server_stands_still_until_it_is_let_go,
]
