"""A vendor in memory, a clock that is moved by hand, and rows to begin with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hostwright.core.db import Command, Database, Query, Scalar
from hostwright.core.errors import NotFound
from hostwright.core.providers import (
    ActionProgress,
    ActionTicket,
    AreaProbe,
    ConnectionCheck,
    ConsoleState,
    ConsoleTarget,
    ExternalUser,
    Gone,
    InstallSpec,
    ListedServer,
    Listing,
    ObservedAddress,
    ObservedHypervisor,
    ObservedServer,
    Power,
    PowerAction,
    ProviderError,
    ResetPassword,
    ResourceSample,
    ServerState,
    SshKey,
    SystemTemplate,
    TrafficMonth,
    Transient,
)
from hostwright.core.relay import End
from hostwright.core.scope import OwnedBy
from hostwright.servers.queries.actions import COLUMNS as ACTION_COLUMNS
from hostwright.servers.queries.lists import ROW_COLUMNS
from hostwright.servers.records import ActionKind, ActionRow, ServerRow
from hostwright.servers.service import Actor, perform_action, watch_action

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ACTOR = Actor(7, "Ada Lovelace", "192.0.2.1", "r-1")
PASSWORD = "kV7-tulip-9zQ"


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def move(self, **step: float) -> None:
        self.time += timedelta(**step)


class Machine:
    """A server at the vendor."""

    def __init__(self, external_id: int, owner_id: int, name: str) -> None:
        self.external_id = external_id
        self.owner_id = owner_id
        self.name = name
        self.state = ServerState.ACTIVE
        self.power: Power | None = Power.RUNNING
        self.busy = False
        self.system = "Debian 13"
        self.addresses: list[ObservedAddress] | None = [
            ObservedAddress(f"192.0.2.{external_id % 250}", 4, primary=True)
        ]
        self.shuts_down = True
        self.throttle = 0
        self.installed: InstallSpec | None = None


class MemoryCompute:
    """Matches `ComputeProvider`. ``fail``: errors by call, raised one by one; ``act_lost``: does it, then raises."""

    def __init__(self) -> None:
        self.machines: dict[int, Machine] = {}
        self.hidden: set[int] = set()
        self.calls: list[tuple[str, int]] = []
        self.fail: dict[str, list[ProviderError]] = {}
        self.act_lost: list[ProviderError] = []
        self.queue: dict[int, tuple[int, PowerAction | None]] = {}
        self.steps = 1
        self.queue_error: str | None = None
        self.healthy = True
        self.before: Callable[[str], Any] | None = None
        self.lost: dict[str, list[ProviderError]] = {}
        self.systems: list[SystemTemplate] = []
        self.keys: dict[int, list[SshKey]] = {}
        self.hosts: list[ObservedHypervisor] = []
        self.users: dict[int, ExternalUser] = {}

    def add(self, external_id: int, owner_id: int = 100, name: str = "") -> Machine:
        machine = Machine(external_id, owner_id, name or f"vm-{external_id:05}")
        self.machines[external_id] = machine
        return machine

    def count(self, call: str) -> int:
        return sum(1 for name, _ in self.calls if name == call)

    async def _enter(self, call: str, number: int) -> None:
        self.calls.append((call, number))
        if self.before is not None:
            await self.before(call)
        waiting = self.fail.get(call)
        if waiting:
            raise waiting.pop(0)

    async def check(self) -> ConnectionCheck:
        await self._enter("check", 0)
        return ConnectionCheck(self.healthy, None if self.healthy else "The token is refused.")

    async def list_servers(self) -> Listing:
        await self._enter("list_servers", 0)
        shown = [m for m in self.machines.values() if m.external_id not in self.hidden]
        return Listing(
            [ListedServer(m.external_id, f"uuid-{m.external_id}", m.owner_id, m.name, m.state, START) for m in shown],
            1 + len(shown) // 200,
        )

    async def observe(self, external_id: int, *, power: bool) -> ObservedServer:
        await self._enter("observe", external_id)
        machine = self.machines.get(external_id)
        if machine is None:
            raise Gone("VirtFusion does not know this server", status=404)
        return ObservedServer(
            external_id=external_id,
            external_owner_id=machine.owner_id,
            name=machine.name,
            hostname=f"{machine.name}.example",
            state=machine.state,
            power=machine.power if power else None,
            busy=machine.busy,
            cores=2,
            memory_mib=2048,
            disk_gib=40,
            traffic_limit_gb=1000,
            operating_system=machine.system,
            package="VPS 2",
            hypervisor="hv-1",
            location_id="1",
            location_name="Frankfurt",
            addresses=machine.addresses,
            created_at=START,
        )

    def do(self, external_id: int, action: PowerAction) -> None:
        machine = self.machines[external_id]
        if action is PowerAction.SHUTDOWN and not machine.shuts_down:
            return
        running = action in (PowerAction.BOOT, PowerAction.RESTART)
        machine.power = Power.RUNNING if running else Power.STOPPED

    async def act(self, external_id: int, action: PowerAction) -> ActionTicket:
        await self._enter("act", external_id)
        if external_id not in self.machines:
            raise Gone("VirtFusion does not know this server", status=404)
        if self.act_lost:
            self.do(external_id, action)
            raise self.act_lost.pop(0)
        queue_id = 500 + len(self.queue)
        self.queue[queue_id] = (0, action)
        self.queued_for = external_id
        return ActionTicket(queue_id)

    async def action_progress(self, queue_id: int) -> ActionProgress:
        await self._enter("action_progress", queue_id)
        if queue_id not in self.queue:
            raise Gone("no such item", status=404)
        done, action = self.queue[queue_id]
        if self.queue_error is not None:
            return ActionProgress(finished=True, failed=True, progress=done, error=self.queue_error)
        done += 100 // self.steps
        self.queue[queue_id] = (done, action)
        if done < 100:
            return ActionProgress(finished=False, failed=False, progress=done, error=None)
        if action is not None:
            self.do(self.queued_for, action)
        return ActionProgress(finished=True, failed=False, progress=100, error=None)

    async def reset_password(self, external_id: int, *, windows: bool) -> ResetPassword:
        del windows
        await self._enter("reset_password", external_id)
        self.queue[900] = (0, None)
        return ResetPassword(900, PASSWORD)

    async def _change(self, call: str, external_id: int) -> Machine:
        """A call that is done once it answers; ``fail`` refuses it, ``lost`` does it and loses the answer."""
        await self._enter(call, external_id)
        if external_id not in self.machines:
            raise Gone("VirtFusion does not know this server", status=404)
        return self.machines[external_id]

    def _answered(self, call: str) -> ActionTicket:
        waiting = self.lost.get(call)
        if waiting:
            raise waiting.pop(0)
        return ActionTicket(None)

    async def rename(self, external_id: int, name: str) -> ActionTicket:
        (await self._change("rename", external_id)).name = name
        return self._answered("rename")

    async def suspend(self, external_id: int) -> ActionTicket:
        machine = await self._change("suspend", external_id)
        machine.state, machine.power = ServerState.SUSPENDED, Power.STOPPED
        return self._answered("suspend")

    async def unsuspend(self, external_id: int) -> ActionTicket:
        (await self._change("unsuspend", external_id)).state = ServerState.ACTIVE
        return self._answered("unsuspend")

    async def throttle_cpu(self, external_id: int, percent: int) -> ActionTicket:
        (await self._change("throttle_cpu", external_id)).throttle = percent
        return self._answered("throttle_cpu")

    async def change_owner(self, external_id: int, external_user_id: int) -> ActionTicket:
        (await self._change("change_owner", external_id)).owner_id = external_user_id
        return self._answered("change_owner")

    async def install(self, external_id: int, spec: InstallSpec) -> ActionTicket:
        machine = await self._change("install", external_id)
        machine.state, machine.installed = ServerState.BUILDING, spec
        return self._answered("install")

    async def templates(self, external_id: int) -> list[SystemTemplate]:
        await self._change("templates", external_id)
        return list(self.systems)

    async def ssh_keys(self, external_user_id: int) -> list[SshKey]:
        await self._enter("ssh_keys", external_user_id)
        return list(self.keys.get(external_user_id, []))

    async def add_ssh_key(self, external_user_id: int, name: str, public_key: str) -> SshKey:
        await self._enter("add_ssh_key", external_user_id)
        number = 1 + sum(len(keys) for keys in self.keys.values())
        key = SshKey(number, name, public_key, enabled=True, created_at=START)
        self.keys.setdefault(external_user_id, []).append(key)
        return key

    async def delete_ssh_key(self, key_id: int) -> None:
        await self._enter("delete_ssh_key", key_id)
        for keys in self.keys.values():
            if any(key.external_id == key_id for key in keys):
                keys[:] = [key for key in keys if key.external_id != key_id]
                return
        raise Gone("no such key", status=404)

    async def sample(self, external_id: int) -> ResourceSample:
        machine = await self._change("sample", external_id)
        return ResourceSample(machine.power, 12.5, 512, 2048, 1000, 2000, 3.5, 40.0)

    async def hypervisors(self) -> list[ObservedHypervisor]:
        await self._enter("hypervisors", 0)
        return list(self.hosts)

    async def user_of_server(self, external_id: int) -> ExternalUser | None:
        machine = await self._change("user_of_server", external_id)
        return self.users.get(machine.owner_id)

    async def user_by_relation(self, relation_id: int) -> ExternalUser | None:
        await self._enter("user_by_relation", relation_id)
        return next((user for user in self.users.values() if user.relation_id == relation_id), None)

    async def probe(self) -> list[AreaProbe]:
        await self._enter("probe", 0)
        return [AreaProbe("servers", ok=self.healthy, problem=None if self.healthy else "The token is refused.")]

    async def raw(self, external_id: int) -> dict[str, object]:
        machine = await self._change("raw", external_id)
        return {"id": external_id, "name": machine.name}

    async def traffic(self, external_id: int) -> list[TrafficMonth]:
        await self._enter("traffic", external_id)
        return [TrafficMonth(START, START, 1, 2, 3, 1000, 0)]

    async def console(self, external_id: int) -> ConsoleState:
        await self._enter("console", external_id)
        return ConsoleState(enabled=None, target=None)

    async def open_console(self, external_id: int) -> ConsoleTarget:
        await self._enter("open_console", external_id)
        return ConsoleTarget("192.0.2.1", 5900)

    async def close_console(self, external_id: int) -> None:
        await self._enter("close_console", external_id)

    async def reach_console(self, target: ConsoleTarget) -> End:
        await self._enter("reach_console", target.port)
        raise Transient("There is no screen.")


class MemoryProviders:
    """Matches `Providers`."""

    def __init__(self, compute: MemoryCompute) -> None:
        self.provider = compute

    async def compute(self, connection_id: int) -> MemoryCompute:
        if connection_id <= 0:
            raise NotFound
        return self.provider


insert_customer = Scalar(int, "insert into customers (name) values ($1) returning id")
insert_connection = Scalar(
    int,
    """insert into connections (kind, name, base_url, token, calls_per_minute)
    values ('virtfusion', 'Frankfurt', 'http://127.0.0.1:9', '\\x00', 600) returning id""",
)
insert_account = Command(
    "insert into compute_accounts (connection_id, customer_id, external_user_id) values ($1, $2, $3)"
)
row_by_external = Query(
    ServerRow,
    "select " + ROW_COLUMNS + " from servers s where s.connection_id = $1 and s.external_id = $2",
)
action_by_id = Query(ActionRow, "select " + ACTION_COLUMNS + " from server_actions a where a.id = $1")
version_of = Scalar(str, "select xmin::text || ':' || ctid::text from servers where id = $1")
log_actions = Scalar(str, "select action || ':' || status from server_log where server_id = $1 order by id")
addresses_ever = Scalar(
    str,
    """select address || ' ' || coalesce(customer_id::text, '-')
        || case when released_at is null then '' else ' released' end
    from server_addresses where server_id = $1 order by id""",
)


class House:
    """A customer with an account at one connected vendor, and another customer."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.compute = MemoryCompute()
        self.providers = MemoryProviders(self.compute)
        self.clock = HandClock()
        self.customer_id = 0
        self.stranger_id = 0
        self.connection_id = 0

    async def furnish(self) -> House:
        async with self.database.transaction() as tx:
            self.customer_id = await insert_customer.value(tx, "Analytical Engines")
            self.stranger_id = await insert_customer.value(tx, "Somebody else")
            self.connection_id = await insert_connection.value(tx)
            await insert_account.run(tx, self.connection_id, self.customer_id, 100)
            await insert_account.run(tx, self.connection_id, self.stranger_id, 200)
        return self

    @property
    def scope(self) -> OwnedBy:
        return OwnedBy(self.customer_id)

    async def row(self, external_id: int) -> ServerRow:
        async with self.database.acquire() as db:
            return await row_by_external.one(db, self.connection_id, external_id)

    async def action(self, action_id: int) -> ActionRow:
        async with self.database.acquire() as db:
            return await action_by_id.one(db, action_id)

    async def texts(self, query: Scalar[str], server_id: int) -> list[str]:
        async with self.database.acquire() as db:
            return await query.all(db, server_id)

    async def perform(self, action_id: int) -> None:
        await perform_action(self.database, self.providers, self.clock, action_id)

    async def follow(self, action_id: int, *, turns: int = 60, step: float = 1.0) -> ActionRow:
        """Watch, and perform again when queued, until the action has ended or ``turns`` are over."""
        for turn in range(turns):
            action = await self.action(action_id)
            if action.finished_at is not None:
                return action
            self.clock.move(seconds=step)
            if action.kind is not ActionKind.RESET_PASSWORD and action.state == "queued":
                await self.perform(action_id)
            else:
                await watch_action(self.database, self.providers, self.clock, action_id, turn)
        return await self.action(action_id)
