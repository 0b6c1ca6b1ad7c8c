"""What the simulated hosting company consists of. All of it can be written to a file and read back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class WorldPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to make. The same plan always makes the same company.

    ``first_users`` says how many servers the first users have, in all sorts of states; the others share the rest.
    ``speed`` 2 makes queued work twice as fast. ``calls_per_minute`` 0 is no limit. ``born`` is the day that ages are
    counted from, None for today. ``tells_build``: the answer to a build names its queue item, which the vendor's
    document does not promise.
    """

    servers: int = 400
    users: int = 42
    first_users: tuple[int, ...] = (14, 3)
    seed: int = 1
    speed: float = 1.0
    build_minutes: float = 45.0
    calls_per_minute: int = 0
    tells_build: bool = True
    token: str = "simulated-virtfusion-token"  # noqa: S105  opens nothing but the simulator
    born: datetime | None = None


class Work(StrEnum):
    """What is done; the power actions are spelt as in the vendor's paths. Those after `BUILD` are done at once."""

    BOOT = "boot"
    SHUTDOWN = "shutdown"
    RESTART = "restart"
    POWEROFF = "poweroff"
    RESET_PASSWORD = "resetPassword"  # noqa: S105  an action's name
    BUILD = "build"
    SUSPEND = "suspend"
    UNSUSPEND = "unsuspend"
    RENAME = "rename"
    THROTTLE = "cpuThrottle"
    CHANGE_OWNER = "owner"
    ADD_KEY = "addKey"
    DELETE_KEY = "deleteKey"


class Location(msgspec.Struct, frozen=True):
    """A hypervisor group: VirtFusion's nearest thing to a place. ``country`` is for who seeds a demo."""

    id: int
    name: str
    country: str


class HypervisorFact(msgspec.Struct, frozen=True):
    """Memory in MB, storage in GB; of everything 0 is without limit."""

    id: int
    name: str
    group_id: int
    ip: str
    servers: int = 0
    memory: int = 0
    cores: int = 0
    storage: int = 0
    enabled: bool = True
    maintenance: bool = False


class PackageFact(msgspec.Struct, frozen=True):
    """Memory in MB, storage and traffic in GB (0 is unmetered)."""

    id: int
    name: str
    memory: int
    storage: int
    traffic: int
    cores: int


class TemplateFact(msgspec.Struct, frozen=True):
    id: int
    family: str
    name: str
    version: str
    variant: str
    ended: bool = False

    @property
    def windows(self) -> bool:
        return self.family == "Windows"


class UserFact(msgspec.Struct, frozen=True):
    """A user at the vendor. ``ext_relation_id`` is how another system knows it."""

    id: int
    ext_relation_id: int
    name: str
    email: str
    created: datetime


class KeyFact(msgspec.Struct, frozen=True):
    """A public key of a user."""

    id: int
    user_id: int
    name: str
    public_key: str
    created: datetime
    enabled: bool = True


class ServerFact(msgspec.Struct):
    """A server.

    ``hidden``: the vendor denies it. ``obeys`` False: its system ignores the request to shut down. ``reachable``
    False: its hypervisor says nothing about power. ``fails_next``: the next work on it fails with these words.
    ``throttle`` is per cent of processor time taken away, ``started`` when it was last started (0 is not known).
    """

    id: int
    uuid: str
    owner_id: int
    hypervisor_id: int
    package_id: int
    template_id: int
    name: str
    hostname: str | None
    commissioned: int
    state: str
    running: bool
    ipv4: list[str]
    ipv6: str
    created: datetime
    updated: datetime
    built: datetime | None
    suspended: bool = False
    build_failed: bool = False
    hidden: bool = False
    obeys: bool = True
    reachable: bool = True
    fails_next: str | None = None
    throttle: int = 0
    started: float = 0.0


class ServerChange(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What to change of a server behind everybody's back; what is unset stays."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    hostname: str | msgspec.UnsetType | None = msgspec.UNSET
    owner_id: int | msgspec.UnsetType = msgspec.UNSET
    ipv4: list[str] | msgspec.UnsetType = msgspec.UNSET
    running: bool | msgspec.UnsetType = msgspec.UNSET
    suspended: bool | msgspec.UnsetType = msgspec.UNSET
    commissioned: int | msgspec.UnsetType = msgspec.UNSET
    state: str | msgspec.UnsetType = msgspec.UNSET
    build_failed: bool | msgspec.UnsetType = msgspec.UNSET
    hidden: bool | msgspec.UnsetType = msgspec.UNSET
    obeys: bool | msgspec.UnsetType = msgspec.UNSET
    reachable: bool | msgspec.UnsetType = msgspec.UNSET
    fails_next: str | msgspec.UnsetType | None = msgspec.UNSET
    throttle: int | msgspec.UnsetType = msgspec.UNSET


class QueueFact(msgspec.Struct):
    """Queued work. It ends at ``ends``; what it brings about happens at ``takes_effect``, which may be later.

    Times are seconds since the epoch. ``error`` makes it fail.
    """

    id: int
    server_id: int
    work: Work
    starts: float
    ends: float
    takes_effect: float
    applied: bool = False
    error: str | None = None


class Effect(msgspec.Struct, frozen=True):
    """Work that the vendor took on, whether or not anybody heard of it.

    Work on keys is on server 0, and what is done at once has the queue item 0.
    """

    at: float
    server_id: int
    work: Work
    queue_id: int


class Saved(msgspec.Struct):
    """A company as it is written to a file."""

    version: int
    plan: WorldPlan
    born: datetime
    locations: list[Location]
    hypervisors: list[HypervisorFact]
    packages: list[PackageFact]
    templates: list[TemplateFact]
    users: list[UserFact]
    servers: list[ServerFact]
    queue: list[QueueFact]
    effects: list[Effect]
    keys: list[KeyFact] = []
