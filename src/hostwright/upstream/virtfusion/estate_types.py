"""What we read of VirtFusion's answers about hypervisors, users and public keys, as loosely as in `types`."""

from __future__ import annotations

import msgspec

from hostwright.upstream.virtfusion.types import NOTHING, Absent


class LineGroup(msgspec.Struct, frozen=True):
    """The group of a hypervisor, its nearest thing to a place."""

    id: int | None = None
    name: str | None = None


class HypervisorLine(msgspec.Struct, frozen=True, rename="camel"):
    """A hypervisor in the list. Its encrypted token is among what is not read."""

    id: int
    name: str | None = None
    maintenance: bool | None = False
    enabled: bool | None = True
    group: LineGroup | Absent = None


class Share(msgspec.Struct, frozen=True):
    """How much of something is given away; ``max`` 0 is without limit."""

    allocated: float | None = None
    max: float | None = None
    enabled: bool | None = True


class UseResources(msgspec.Struct, frozen=True, rename="camel"):
    """Memory in MB, storage in GB."""

    servers: Share | Absent = None
    memory: Share | Absent = None
    cpu_cores: Share | Absent = None
    local_storage: Share | Absent = None
    other_storage: list[Share | Absent] | bool | str | None = None


class UsedHypervisor(msgspec.Struct, frozen=True):
    id: int


class HypervisorUse(msgspec.Struct, frozen=True):
    """What is given away of one hypervisor."""

    hypervisor: UsedHypervisor
    resources: UseResources | Absent = None


class UserKey(msgspec.Struct, frozen=True, rename="camel"):
    """A public key of a user."""

    id: int
    name: str | None = None
    public_key: str | None = None
    enabled: bool | None = True
    created: msgspec.Raw = NOTHING


class KeptKey(msgspec.Struct, frozen=True, rename="camel"):
    """What is said of a key that was just added; not the key itself."""

    id: int
    created_at: msgspec.Raw = NOTHING


class User(msgspec.Struct, frozen=True, rename="camel"):
    """A user. The relation may be absent, and in newer versions a text."""

    id: int
    ext_relation_id: int | str | None = None
    name: str | None = None
    email: str | None = None
    suspended: bool | None = False


class OwnedServer(msgspec.Struct, frozen=True):
    """One server, for who has it."""

    owner: User | Absent = None
