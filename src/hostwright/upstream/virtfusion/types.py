"""What we read of VirtFusion's answers: the fields that we use and no others.

Source: the vendor's API description (early 2025) and its examples. Numbers may come as text and flags as 0 and 1, so
these are decoded loosely. The vendor is written in PHP, where an empty object is written like an empty list and an
absent one may be ``false``: `Absent` stands for those. A list that is None was not sent, which says nothing about what
is in it. Moments of creation stay undecoded: one that cannot be read must not cost the list that it stands in.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

type Absent = list[msgspec.Raw] | bool | str | None

NOTHING: Final = msgspec.Raw(b"null")


class ServerLine(msgspec.Struct, frozen=True):
    """A server in the list. ``commissioned``: 0 allocated, 1 queued or building, 2 failed, 3 done."""

    id: int
    commissioned: int
    created: msgspec.Raw = NOTHING
    uuid: str | None = None
    name: str | None = None
    owner: int | None = None
    suspended: bool = False


class Page[T](msgspec.Struct, frozen=True):
    """One page of a list. ``total`` counts all entries."""

    current_page: int
    last_page: int
    total: int
    data: list[T]


class Resources(msgspec.Struct, frozen=True, rename="camel"):
    """What a server has: memory in MB, storage in GB, traffic in GB (0 is unmetered)."""

    memory: int | None = None
    storage: int | None = None
    traffic: int | None = None
    cpu_cores: int | None = None


class ServerSettings(msgspec.Struct, frozen=True, rename="camel"):
    os_template_install_id: int | None = None
    resources: Resources | Absent = None


class Ipv4(msgspec.Struct, frozen=True):
    address: str
    order: int = 0
    enabled: bool = True


class Ipv6(msgspec.Struct, frozen=True):
    """A subnet."""

    subnet: str | None = None
    cidr: int | None = None
    order: int = 0
    enabled: bool = True


class Interface(msgspec.Struct, frozen=True):
    order: int = 0
    enabled: bool = True
    ipv4: list[Ipv4] | None = None
    ipv6: list[Ipv6] | None = None


class Network(msgspec.Struct, frozen=True, rename="camel"):
    interfaces: list[Interface] | None = None
    secondary_interfaces: list[Interface] | None = None


class HypervisorGroup(msgspec.Struct, frozen=True):
    name: str | None = None


class Hypervisor(msgspec.Struct, frozen=True, rename="camel"):
    id: int | None = None
    name: str | None = None
    group_id: int | None = None
    group: HypervisorGroup | Absent = None


class Tasks(msgspec.Struct, frozen=True):
    active: bool = False


class RemoteState(msgspec.Struct, frozen=True):
    """What libvirt says, in its words."""

    state: str | None = None


class InstalledSystem(msgspec.Struct, frozen=True, rename="camel"):
    """Newer versions name the template."""

    template_name: str | None = None


class AgentSystem(msgspec.Struct, frozen=True, rename={"pretty_name": "pretty-name"}):
    """What the agent inside the server says about its system, when there is one."""

    pretty_name: str | None = None


class Agent(msgspec.Struct, frozen=True):
    os: AgentSystem | Absent = None


class VirtualServer(msgspec.Struct, frozen=True, rename="camel"):
    """One server. ``remote_state`` is an object only when it was asked for and could be told."""

    id: int
    commission_status: int
    created: msgspec.Raw = NOTHING
    uuid: str | None = None
    owner_id: int | None = None
    name: str | None = None
    hostname: str | msgspec.UnsetType | None = msgspec.UNSET
    state: str | None = None
    suspended: bool = False
    build_failed: bool = False
    settings: ServerSettings | Absent = None
    network: Network | Absent = None
    hypervisor: Hypervisor | Absent = None
    tasks: Tasks | Absent = None
    os: InstalledSystem | Absent = None
    qemu_agent: Agent | Absent = None
    remote_state: RemoteState | Absent = None


class Sampled(msgspec.Struct, frozen=True, rename="camel"):
    """One server, for what its machine does. Nothing is promised about what libvirt tells, so it is kept as it came."""

    settings: ServerSettings | Absent = None
    remote_state: object = None


class QueueException(msgspec.Struct, frozen=True):
    message: str | None = None


class QueueErrors(msgspec.Struct, frozen=True):
    exception: QueueException | Absent = None


class QueueItem(msgspec.Struct, frozen=True):
    """Work that the vendor does in the background. ``finished`` is a time once it has ended."""

    id: int
    finished: str | bool | None = None
    failed: bool = False
    progress: int | None = None
    errors: QueueErrors | Absent = None


class BuildData(msgspec.Struct, frozen=True, rename="camel"):
    queue_id: int | None = None


class Build(msgspec.Struct, frozen=True):
    """What a build is answered with: the whole server, of which only this is read, for a password is in it.

    The vendor's document names no queue item; where one is named, it stands here.
    """

    data: BuildData | Absent = None


class Queued(msgspec.Struct, frozen=True, rename="camel"):
    queue_id: int | None


class PasswordReset(msgspec.Struct, frozen=True, rename="camel"):
    queue_id: int | None
    expected_password: str

    def __repr__(self) -> str:
        """Without the password, so that a log or a traceback cannot show it."""
        return f"PasswordReset(queue_id={self.queue_id!r})"


class TrafficBlock(msgspec.Struct, frozen=True):
    """Traffic bought on top, in GB."""

    traffic: int = 0


class TrafficPeriod(msgspec.Struct, frozen=True):
    """Bytes, with the limit in GB (0 is unmetered). Times come without a zone."""

    start: datetime
    end: datetime
    rx: int
    tx: int
    total: int
    limit: int | None = None
    blocks: list[TrafficBlock] = []


class Traffic(msgspec.Struct, frozen=True):
    monthly: list[TrafficPeriod] = []


class Template(msgspec.Struct, frozen=True):
    """``eol``: its makers no longer look after it. ``type`` is ``windows``, ``linux`` or ``unix``."""

    id: int
    name: str
    version: str | None = None
    variant: str | None = None
    eol: bool | None = None
    type: str | None = None


class TemplateGroup(msgspec.Struct, frozen=True):
    """A family of systems."""

    name: str | None = None
    templates: list[Template] = []


class Package(msgspec.Struct, frozen=True, rename="camel"):
    """What is sold, in the units of `Resources`."""

    id: int
    name: str
    memory: int | None = None
    primary_storage: int | None = None
    traffic: int | None = None
    cpu_cores: int | None = None


class Data[T](msgspec.Struct, frozen=True):
    """The envelope of everything but the list."""

    data: T
