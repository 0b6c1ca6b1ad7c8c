"""The simulated hosting company: its servers, and the work that changes them as time goes by."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec

from hostwright.upstream.virtfusion.simulator import company
from hostwright.upstream.virtfusion.simulator.facts import (
    Effect,
    KeyFact,
    QueueFact,
    Saved,
    ServerChange,
    ServerFact,
    Work,
    WorldPlan,
)

VERSION: Final = 1
KEPT: Final = 2_000  # queue items and effects that are remembered

# Seconds until the queue item ends, and until it shows on the server. A shutdown is only a request to the system
# inside, so its item ends long before the machine stands still.
PACE: Final = {
    Work.BOOT: (1.5, 1.5),
    Work.SHUTDOWN: (1.5, 6.0),
    Work.RESTART: (2.5, 2.5),
    Work.POWEROFF: (1.0, 1.0),
    Work.RESET_PASSWORD: (2.0, 2.0),
    Work.BUILD: (30.0, 30.0),
}


class WorldBroken(Exception):
    """A saved company cannot be read. The message is one line."""


class World:
    """A company at the present moment. Every method that looks first lets happen what is due.

    ``servers``, ``users`` and ``queue`` are by the vendor's ids. ``effects`` is all work that was taken on, whether or
    not anybody heard of it. ``changed`` is called after every change. ``denied`` are parts of the API that the token
    may not use; they are not kept.
    """

    def __init__(self, plan: WorldPlan | None = None, *, clock: Callable[[], float] = time.time) -> None:
        plan = plan or WorldPlan()
        born = company.day_of(plan)
        machines = company.hypervisors(plan)
        servers = company.Builder(plan, born, machines).servers()
        self.clock = clock
        self.changed: Callable[[], None] = lambda: None
        self.denied: frozenset[str] = frozenset()
        self._take(
            Saved(
                version=VERSION,
                plan=plan,
                born=born,
                locations=company.LOCATIONS,
                hypervisors=machines,
                packages=company.PACKAGES,
                templates=company.TEMPLATES,
                users=company.users(plan, born),
                servers=servers,
                queue=company.builds(plan, servers, clock()),
                effects=[],
                keys=company.keys(plan, born),
            )
        )

    def _take(self, saved: Saved) -> None:
        self.plan = saved.plan
        self.born = saved.born
        self.locations = {one.id: one for one in saved.locations}
        self.hypervisors = {one.id: one for one in saved.hypervisors}
        self.packages = {one.id: one for one in saved.packages}
        self.templates = {one.id: one for one in saved.templates}
        self.users = {one.id: one for one in saved.users}
        self.servers = {one.id: one for one in saved.servers}
        self.queue = {one.id: one for one in saved.queue}
        self.effects = saved.effects
        self.keys = {one.id: one for one in saved.keys}
        self._open = {one.id for one in saved.queue if not one.applied}
        self._next = max(self.queue, default=0) + 1
        self._next_key = max(self.keys, default=0) + 1

    # --- looking

    @property
    def listed(self) -> list[ServerFact]:
        """Servers that the vendor admits to, by id."""
        self.settle()
        return [server for server in self.servers.values() if not server.hidden]

    def server(self, server_id: int) -> ServerFact | None:
        """A server that the vendor admits to."""
        self.settle()
        found = self.servers.get(server_id)
        return found if found is not None and not found.hidden else None

    def pending(self, server_id: int) -> QueueFact | None:
        """The work that goes on with a server."""
        self.settle()
        now = self.clock()
        return next(
            (q for q in map(self.queue.__getitem__, self._open) if q.server_id == server_id and q.ends > now), None
        )

    def count(self, server_id: int, work: Work) -> int:
        """How often some work was taken on."""
        return sum(1 for effect in self.effects if effect.server_id == server_id and effect.work is work)

    def settle(self) -> None:
        """Let happen what is due."""
        now = self.clock()
        due = [item for item in map(self.queue.__getitem__, self._open) if item.takes_effect <= now]
        for item in sorted(due, key=lambda one: one.takes_effect):
            self._apply(item)
        if due:
            self.changed()

    # --- changing

    def begin(self, server: ServerFact, work: Work) -> QueueFact:
        """Take work on. Power that is wanted otherwise meanwhile wins over what is still to take effect."""
        error, server.fails_next = server.fails_next, None
        now = self.clock()
        ends, effect = (seconds / self.plan.speed for seconds in PACE[work])
        if work is not Work.SHUTDOWN:
            effect = ends
        item = QueueFact(self._next, server.id, work, now, now + ends, now + effect, error=error)
        for other in [self.queue[number] for number in self._open]:
            if other.server_id == server.id and other.work is Work.SHUTDOWN and work is not Work.RESET_PASSWORD:
                other.applied = True
                self._open.discard(other.id)
        self._next += 1
        self.queue[item.id] = item
        self._open.add(item.id)
        self.effects.append(Effect(now, server.id, work, item.id))
        self._forget()
        self.changed()
        return item

    def build(self, server: ServerFact, template_id: int, name: str, hostname: str | None) -> QueueFact:
        """Install a system: what the server was is over at once, the new one runs when the work has ended."""
        server.template_id, server.name, server.hostname = template_id, name, hostname
        server.commissioned, server.state, server.running, server.build_failed = 1, "queued", False, False
        return self.begin(server, Work.BUILD)

    def at_once(self, server: ServerFact, work: Work, **facts: object) -> None:
        """Change a server by work that needs no queue."""
        for name, value in facts.items():
            setattr(server, name, value)
        server.updated = self._moment()
        self._done(server.id, work)

    def add_key(self, user_id: int, name: str, public_key: str) -> KeyFact:
        """Keep a public key for a user."""
        key = KeyFact(self._next_key, user_id, name, public_key, self._moment())
        self._next_key += 1
        self.keys[key.id] = key
        self._done(0, Work.ADD_KEY)
        return key

    def delete_key(self, key_id: int) -> None:
        """Forget a public key; raises KeyError when there is none."""
        del self.keys[key_id]
        self._done(0, Work.DELETE_KEY)

    def _done(self, server_id: int, work: Work) -> None:
        self.effects.append(Effect(self.clock(), server_id, work, 0))
        self._forget()
        self.changed()

    def change(self, server_id: int, change: ServerChange) -> ServerFact:
        """Change a server behind everybody's back; raises KeyError when there is none."""
        server = self.servers[server_id]
        for name in change.__struct_fields__:
            value = getattr(change, name)
            if value is not msgspec.UNSET:
                setattr(server, name, value)
        server.updated = self._moment()
        self.changed()
        return server

    def add(self, owner_id: int, name: str) -> ServerFact:
        """A further running server, like an existing one of the first package."""
        number = max(self.servers, default=company.FIRST_SERVER - 1) + 1
        server = ServerFact(
            id=number,
            uuid=str(uuid4()),
            owner_id=owner_id,
            hypervisor_id=next(iter(self.hypervisors)),
            package_id=next(iter(self.packages)),
            template_id=next(iter(self.templates)),
            name=name,
            hostname=f"{name}.example",
            commissioned=3,
            state="complete",
            running=True,
            ipv4=[f"10.200.{number // 250 % 250}.{number % 250 + 1}"],
            ipv6=f"2001:db8:ffff:{number % 65536:x}::",
            created=self._moment(),
            updated=self._moment(),
            built=self._moment(),
        )
        self.servers[number] = server
        self.changed()
        return server

    def remove(self, server_id: int) -> None:
        """Delete a server for good."""
        del self.servers[server_id]
        gone = {number for number, item in self.queue.items() if item.server_id == server_id}
        self._open -= gone
        self.changed()

    def _apply(self, item: QueueFact) -> None:
        item.applied = True
        self._open.discard(item.id)
        server = self.servers.get(item.server_id)
        if server is None:
            return
        if item.error is not None:
            if item.work is Work.BUILD:
                server.commissioned, server.state, server.build_failed = 2, "failed", True
            return
        match item.work:
            case Work.BOOT | Work.RESTART:
                if not server.running or item.work is Work.RESTART:
                    server.started = item.takes_effect
                server.running = True
            case Work.POWEROFF:
                server.running = False
            case Work.SHUTDOWN:
                server.running = server.running and not server.obeys
            case Work.BUILD:
                server.commissioned, server.state, server.running, server.built = 3, "complete", True, self._moment()
                server.started = item.takes_effect
            case _:
                pass
        server.updated = self._moment()

    def _forget(self) -> None:
        for number in list(self.queue)[: max(0, len(self.queue) - KEPT)]:
            if number not in self._open:
                del self.queue[number]
        del self.effects[: max(0, len(self.effects) - KEPT)]

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC).replace(microsecond=0)

    # --- keeping

    def save(self, path: Path) -> None:
        """Write the company to a file, whole or not at all."""
        saved = Saved(
            VERSION,
            self.plan,
            self.born,
            list(self.locations.values()),
            list(self.hypervisors.values()),
            list(self.packages.values()),
            list(self.templates.values()),
            list(self.users.values()),
            list(self.servers.values()),
            list(self.queue.values()),
            self.effects,
            list(self.keys.values()),
        )
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            beside.write_bytes(msgspec.json.encode(saved))
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, *, clock: Callable[[], float] = time.time) -> World:
        """The company of a file; raises `WorldBroken` when it cannot be read."""
        try:
            saved = msgspec.json.decode(path.read_bytes(), type=Saved)
        except (msgspec.DecodeError, OSError) as error:
            message = f"The simulator's file {path.name} cannot be read: {error}"
            raise WorldBroken(message) from error
        if saved.version != VERSION:
            message = f"The simulator's file {path.name} is of version {saved.version}, this program reads {VERSION}."
            raise WorldBroken(message)
        world = cls.__new__(cls)
        world.clock = clock
        world.changed = lambda: None
        world.denied = frozenset()
        world._take(saved)  # noqa: SLF001  the same class
        return world
