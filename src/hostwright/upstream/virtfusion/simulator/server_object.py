"""The simulated server in the vendor's shape, noise included: the object is as large as the real one."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Final

from hostwright.upstream.virtfusion.simulator.answers import Json, current_period, plain_stamp, stamp
from hostwright.upstream.virtfusion.simulator.facts import KeyFact, PackageFact, ServerFact
from hostwright.upstream.virtfusion.simulator.machine import remote_state as remote_state_of
from hostwright.upstream.virtfusion.simulator.world import World

# A screenshot as the vendor puts into every server object; what it shows does not matter.
SCREEN: Final = base64.b64encode(bytes(range(256)) * 36).decode()


def full(world: World, server: ServerFact, *, remote_state: bool) -> Json:
    """A server in detail."""
    package = world.packages[server.package_id]
    pending = world.pending(server.id)
    last = pending.starts if pending else server.updated.timestamp()
    return {
        **_facts(server),
        "traffic": {"public": {"countMethod": 1, "currentPeriod": current_period(world, server, package.traffic)}},
        "settings": _settings(server, package),
        "cpu": {
            "cores": package.cores,
            "type": "inherit",
            "typeExact": "host-model",
            "shares": 1024,
            "throttle": server.throttle,
        },
        "customXML": {part: {"xml": "", "enabled": False} for part in ("domain", "os", "devices", "features", "clock")},
        "qemuCommandline": [],
        "qemuAgent": {"os": {"screen": SCREEN}},
        "media": {"isoMounted": False, "isoType": "local", "isoName": "", "isoFilename": "", "isoUrl": ""},
        "backupPlan": {"id": None, "name": None},
        "vnc": {"ip": world.hypervisors[server.hypervisor_id].ip, "port": 5900 + server.id % 100, "enabled": False},
        "network": {"interfaces": [_interface(server)], "secondaryInterfaces": []},
        "storage": [_disk(server, package.storage)],
        "hypervisorAssets": [],
        "hypervisor": _hypervisor(world, server),
        "owner": _owner(world, server),
        "sshKeys": [_public(one) for one in world.keys.values() if one.user_id == server.owner_id],
        "sharedUsers": [],
        "tasks": {
            "active": pending is not None,
            "lastOn": plain_stamp(datetime.fromtimestamp(last, UTC)),
            "actions": {"pending": []},
        },
        "remoteState": remote_state_of(server, package, world.clock()) if remote_state else False,
    }


def built(world: World, server: ServerFact, queue_id: int | None) -> Json:
    """What a build is answered with: the server, its new password, and the queue item when the company tells it."""
    answer = full(world, server, remote_state=False)
    del answer["remoteState"]
    answer["settings"]["decryptedPassword"] = base64.b64encode(f"once for {server.uuid}".encode()).decode()
    return answer if queue_id is None else answer | {"queueId": queue_id}


def _facts(server: ServerFact) -> Json:
    return {
        "id": server.id,
        "ownerId": server.owner_id,
        "hypervisorId": server.hypervisor_id,
        "arch": 1,
        "name": server.name,
        "selfService": 0,
        "selfServiceSettings": [],
        "hostname": server.hostname,
        "commissionStatus": server.commissioned,
        "uuid": server.uuid,
        "state": server.state,
        "migratable": True,
        "timezone": "_default",
        **dict.fromkeys(("migrateLevel", "deleteLevel", "configLevel", "backupLevel"), 0),
        "elevated": False,
        "elevateId": None,
        "elevate": False,
        "destroyable": True,
        "rebuild": False,
        "suspended": server.suspended,
        "protected": False,
        "buildFailed": server.build_failed,
        "primaryNetworkDhcp4": False,
        "primaryNetworkDhcp6": False,
        "built": stamp(server.built),
        "created": stamp(server.created),
        "updated": stamp(server.updated),
    }


def _settings(server: ServerFact, package: PackageFact) -> Json:
    return {
        "osTemplateInstall": True,
        "osTemplateInstallId": server.template_id,
        "encryptedPassword": base64.b64encode(f"sealed for {server.uuid}".encode()).decode(),
        "backupPlan": None,
        "uefi": False,
        "uefiType": 0,
        "cloudInit": True,
        "cloudInitType": 1,
        "config": [],
        "userConfig": [],
        "bootOrder": ["hd", "cdrom"],
        "resources": {
            "memory": package.memory,
            "storage": package.storage,
            "traffic": package.traffic,
            "cpuCores": package.cores,
        },
    }


def _interface(server: ServerFact) -> Json:
    number = server.id.to_bytes(3, "big").hex(":").upper()
    return {
        "id": server.id,
        "order": 1,
        "enabled": True,
        "tag": 4_000_000_000 + server.id,
        "name": "eth0",
        "type": "public",
        "driver": 1,
        "mac": f"00:5E:00:{number}",
        "isNat": False,
        "ipv4": [_ipv4(server, order, address) for order, address in enumerate(server.ipv4, 1)],
        "ipv6": [_ipv6(server)] if server.ipv6 else [],
    }


def _ipv4(server: ServerFact, order: int, address: str) -> Json:
    gateway = address.rpartition(".")[0] + ".1"
    return {
        "id": server.id * 4 + order,
        "order": order,
        "enabled": True,
        "blockId": 1,
        "address": address,
        "gateway": gateway,
        "netmask": "255.255.255.0",
        "resolver1": "192.0.2.53",
        "resolver2": "198.51.100.53",
        "rdns": None,
        "mac": None,
    }


def _ipv6(server: ServerFact) -> Json:
    return {
        "id": server.id * 4,
        "block": {"id": 5, "name": "IPv6"},
        "order": 1,
        "enabled": True,
        "addresses": [],
        "addressesDetailed": [],
        "subnet": server.ipv6,
        "cidr": 64,
        "exhausted": False,
        "gateway": "fe80::1",
        "resolver1": "2001:db8::53",
        "resolver2": "2001:db8::54",
        "routeNet": False,
    }


def _disk(server: ServerFact, gigabytes: int) -> Json:
    return {
        "_id": server.id,
        "id": 1,
        "capacity": gigabytes,
        "drive": "a",
        "type": "qcow2",
        "profile": 1,
        "status": 3,
        "enabled": True,
        "primary": True,
        "created": stamp(server.created),
        "updated": stamp(server.updated),
        "name": f"{server.uuid}_1",
        "filename": f"{server.uuid}_1.img",
        "local": True,
    }


def _hypervisor(world: World, server: ServerFact) -> Json:
    machine = world.hypervisors[server.hypervisor_id]
    return {
        "id": machine.id,
        "ip": machine.ip,
        "hostname": None,
        "port": 8892,
        "maintenance": machine.maintenance,
        "groupId": machine.group_id,
        "group": {"name": world.locations[machine.group_id].name, "icon": None},
        "timezone": "UTC",
        "forceIPv6": False,
        "created": stamp(world.born - timedelta(days=1000)),
        "updated": stamp(world.born),
        "name": machine.name,
        "dataDir": "/home/vf-data",
    }


def _owner(world: World, server: ServerFact) -> Json | None:
    user = world.users.get(server.owner_id)
    if user is None:
        return None
    return {
        "id": user.id,
        "admin": False,
        "extRelationId": user.ext_relation_id,
        "name": user.name,
        "email": user.email,
        "timezone": "UTC",
        "suspended": False,
        "twoFactorAuth": False,
        "created": stamp(user.created),
        "updated": stamp(user.created),
    }


def _public(key: KeyFact) -> Json:
    return {
        "id": key.id,
        "ownerId": key.user_id,
        "type": "OpenSSH",
        "name": key.name,
        "public": key.public_key,
        "enabled": key.enabled,
        "created": stamp(key.created),
    }


def _plainer(interface: Json) -> Json:
    """An interface as the list of a user shows it, with less in it."""
    less = {"id", "type", "driver"}
    addresses = [{key: one[key] for key in one.keys() - {"id", "blockId", "rdns", "mac"}} for one in interface["ipv4"]]
    return {key: interface[key] for key in interface.keys() - less} | {"ipv4": addresses}


def of_user(world: World, server: ServerFact) -> Json:
    """A server in the list of a user, which has yet another shape."""
    package = world.packages[server.package_id]
    return {
        "id": server.id,
        "ownerId": server.owner_id,
        "hypervisorId": server.hypervisor_id,
        "name": server.name,
        "hostname": server.hostname,
        "commissionStatus": server.commissioned,
        "uuid": server.uuid,
        "state": server.state,
        "rebuild": False,
        "suspended": server.suspended,
        "protected": False,
        "buildFailed": server.build_failed,
        "backup_level": 0,
        "backup_plan": None,
        "os": {"screen": SCREEN},
        "server_info": {"show": False, "icon": None, "name": None, "label": None},
        "resources": {
            "memory": package.memory,
            "storage": package.storage,
            "traffic": package.traffic,
            "cpuCores": package.cores,
            "cpu_model": None,
        },
        "network": {"interfaces": [_plainer(_interface(server))]},
        "config": {"uefi": False, "bootOrder": ["hd", "cdrom"]},
        "media": {"isoMounted": False, "isoName": ""},
    }
