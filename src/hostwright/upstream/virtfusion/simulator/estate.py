"""Hypervisors, users and public keys of the simulated company in the vendor's shapes."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from datetime import timedelta

from hostwright.upstream.virtfusion.simulator.answers import Json, stamp, stamp_with_micros
from hostwright.upstream.virtfusion.simulator.facts import HypervisorFact, KeyFact, Location, UserFact
from hostwright.upstream.virtfusion.simulator.world import World


def _group(world: World, place: Location) -> Json:
    return {
        "id": place.id,
        "name": place.name,
        "description": f"Machines in {place.name}",
        "default": place.id == next(iter(world.locations)),
        "enabled": True,
        "distributionType": 5,
        "created": stamp(world.born - timedelta(days=1000)),
        "updated": stamp(world.born - timedelta(days=1000)),
    }


def hypervisor(world: World, machine: HypervisorFact) -> Json:
    """A hypervisor in the list, with the secret that the vendor puts into it."""
    return {
        "id": machine.id,
        "commissioned": 3,
        "ip": machine.ip,
        "ipAlt": None,
        "hostname": None,
        "port": 8892,
        "sshPort": 22,
        "name": machine.name,
        "maintenance": machine.maintenance,
        "enabled": machine.enabled,
        "nfType": 4,
        "group": _group(world, world.locations[machine.group_id]),
        "encryptedToken": base64.b64encode(f"sealed for {machine.name}".encode()).decode(),
        "maxServers": machine.servers,
        "maxCpu": machine.cores,
        "maxMemory": machine.memory,
        "networks": [],
        "storage": [],
        "created": stamp(world.born - timedelta(days=1000)),
        "updated": stamp(world.born),
    }


def resources(world: World, group_id: int) -> list[Json]:
    """What is given away of each hypervisor of a group."""
    given: dict[int, Counter[str]] = {}
    for server in world.listed:
        package = world.packages[server.package_id]
        each = {"servers": 1, "memory": package.memory, "cores": package.cores, "storage": package.storage}
        given.setdefault(server.hypervisor_id, Counter()).update(each)
    machines = [one for one in world.hypervisors.values() if one.group_id == group_id]
    return [{"hypervisor": _flags(one), "resources": _shares(one, given.get(one.id, Counter()))} for one in machines]


def _flags(machine: HypervisorFact) -> Json:
    return {
        "id": machine.id,
        "name": machine.name,
        "enabled": machine.enabled,
        "prohibit": False,
        "accept": False,
        "commissioned": True,
    }


def _shares(machine: HypervisorFact, given: Counter[str]) -> Json:
    local = {"enabled": 1, "name": "Local", "storageType": 0}
    return {
        "servers": _share("#", machine.servers, given["servers"]),
        "memory": _share("MB", machine.memory, given["memory"]),
        "cpuCores": _share("#", machine.cores, given["cores"]),
        "localStorage": local | _share("GB", machine.storage, given["storage"]),
        "otherStorage": [],
        "network": {"total": {"ipv4": {"free": 100}}},
    }


def _share(units: str, most: int, allocated: int) -> Json:
    """The vendor subtracts from a limit of 0, which is none."""
    percent = round(100 * allocated / most, 1) if most else None
    return {"units": units, "max": most, "allocated": allocated, "free": most - allocated, "percent": percent}


def key(found: KeyFact) -> Json:
    """A public key in the list of a user."""
    return {
        "id": found.id,
        "name": found.name,
        "publicKey": found.public_key,
        "type": "OpenSSH",
        "enabled": found.enabled,
        "created": stamp(found.created),
        "updated": stamp(found.created),
    }


def kept_key(found: KeyFact) -> Json:
    """What is said of a key that was just added."""
    return {"id": found.id, "name": found.name, "type": "OpenSSH", "createdAt": stamp_with_micros(found.created)}


def looks_like_a_key(text: str) -> bool:
    """Whether a text has a kind and, in base64, a key of that kind."""
    kind, _, rest = text.strip().partition(" ")
    try:
        content = base64.b64decode(rest.partition(" ")[0], validate=True)
    except (binascii.Error, ValueError):
        return False
    return bool(kind) and content[4 : 4 + len(kind)] == kind.encode()


def user(found: UserFact) -> Json:
    """A user."""
    return {
        "id": found.id,
        "admin": False,
        "extRelationId": found.ext_relation_id,
        "selfService": 0,
        "selfServiceHourlyGroupProfiles": [],
        "selfServiceResourceGroupProfiles": [],
        "selfServiceHourlyResourcePack": None,
        "name": found.name,
        "email": found.email,
        "timezone": "UTC",
        "suspended": False,
        "twoFactorAuth": False,
        "created": stamp_with_micros(found.created),
        "updated": stamp_with_micros(found.created),
    }
