"""Makes a believable hosting company from a plan and its seed."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from itertools import chain
from typing import Final
from uuid import UUID

from hostwright.upstream.virtfusion.simulator.facts import (
    HypervisorFact,
    KeyFact,
    Location,
    PackageFact,
    QueueFact,
    ServerFact,
    TemplateFact,
    UserFact,
    Work,
    WorldPlan,
)

FIRST_USER: Final = 101
FIRST_RELATION: Final = 5001
FIRST_SERVER: Final = 1001
ADMIN: Final = 1

LOCATIONS: Final = [
    Location(1, "Frankfurt", "de"),
    Location(2, "Amsterdam", "nl"),
    Location(3, "London", "gb"),
    Location(4, "New York", "us"),
    Location(5, "Singapore", "sg"),
    Location(6, "Sydney", "au"),
]
SITES: Final = ("fra", "ams", "lon", "nyc", "sin", "syd")
PACKAGES: Final = [
    PackageFact(1, "Cloud 1", 1024, 25, 1000, 1),
    PackageFact(2, "Cloud 2", 2048, 50, 2000, 1),
    PackageFact(3, "Cloud 4", 4096, 80, 4000, 2),
    PackageFact(4, "Cloud 8", 8192, 160, 5000, 4),
    PackageFact(5, "Cloud 16", 16384, 320, 8000, 6),
    PackageFact(6, "Memory 32", 32768, 320, 0, 8),
    PackageFact(7, "Storage 2T", 4096, 2000, 20000, 2),
]
TEMPLATES: Final = [
    TemplateFact(11, "Ubuntu", "Ubuntu Server", "24.04 LTS", "Minimal"),
    TemplateFact(12, "Ubuntu", "Ubuntu Server", "22.04 LTS", "Minimal"),
    TemplateFact(21, "Debian", "Debian", "13 (Trixie)", "Minimal"),
    TemplateFact(22, "Debian", "Debian", "12 (Bookworm)", "Minimal"),
    TemplateFact(31, "AlmaLinux", "AlmaLinux", "9", "Minimal"),
    TemplateFact(32, "AlmaLinux", "AlmaLinux", "10", "Minimal"),
    TemplateFact(41, "Rocky Linux", "Rocky Linux", "9", "Minimal"),
    TemplateFact(51, "Fedora", "Fedora Server", "43", "Cloud"),
    TemplateFact(61, "Windows", "Windows Server", "2022", "Standard"),
    TemplateFact(62, "Windows", "Windows Server", "2025", "Standard"),
    TemplateFact(23, "Debian", "Debian", "11 (Bullseye)", "Minimal", ended=True),
]
TEMPLATE_WEIGHTS: Final = (24, 12, 22, 14, 8, 3, 6, 3, 5, 3, 0)
PACKAGE_WEIGHTS: Final = (18, 26, 24, 16, 8, 4, 4)
HYPERVISORS_EACH: Final = 4
SMALLER: Final = 2  # of them
ROOM_FOR: Final = 500  # servers

ROLES: Final = (
    "web-01 web-02 web-03 db-primary db-replica api-01 api-02 cache-01 mail staging ci-runner monitoring backup-01 "
    "vpn gitea registry queue-01 search-01 wordpress shop-frontend shop-db metrics logs edge-01 edge-02 build-01 "
    "nextcloud matrix bastion dev-sandbox k3s-node-1 k3s-node-2 k3s-node-3 proxy dns-01 docs"
).split()
WINDOWS_ROLES: Final = ("win-rdp-01", "win-sql", "win-app-01", "accounting", "terminal-01")
COMPANIES: Final = (
    "Northwind Analytics,Blue Heron Studio,Kestrel Labs,Fjord & Falk,Atelier Marceau,Tidewater Logistics,"
    "Lumen Bakery,Granite Peak Software,Orchard Health,Paperplane Games,Silver Birch Media,Copper Kettle Brewing,"
    "Meridian Travel,Willow Street Dental,Ironbridge Engineering,Cobalt Robotics,Juniper Garden Supply,"
    "Harbour Lights Hotel,Quill and Ink Press,Redwood Accounting,Starling Music School,Amber Fox Design,"
    "Polar Bear Cycles,Chalk Farm Theatre,Velvet Antler,Saltmarsh Energy,Pinecone Toys,Eleven Oaks Estate,"
    "Brightwater Clinic,Tandem Couriers,Thistle & Thorn,Clockwork Cinema,Oakmoss Perfumes,Windmill Data,"
    "Lantern Legal,Foxglove Flowers,Basalt Architects,Marigold Kitchens,Seven Hills Radio,Nimbus Weather,"
    "Greenfinch Farms,Opal Opticians,Riverbend Schools,Turnstone Ferries,Hazel Grove Vets,Crimson Kite Tours,"
    "Pebble Beach Sails,Moonrise Astronomy"
).split(",")
STATES: Final = ("running", "stopped", "suspended", "building", "failed")
STATE_WEIGHTS: Final = (86, 7, 3, 2, 2)
# What the first users have, so that every state can be seen: by the running number of the server.
VARIED: Final = {2: "stopped", 4: "suspended", 6: "building", 8: "failed", 11: "stopped"}
BLOCKS: Final = ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24")  # set aside for documentation
MORE: Final = "10.64.0.0/12"


def day_of(plan: WorldPlan) -> datetime:
    """The day that ages are counted from."""
    return (plan.born or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0)


def hypervisors(plan: WorldPlan) -> list[HypervisorFact]:
    """A few in each location, large enough for all servers; the last one is in maintenance."""
    times = -(-max(plan.servers, 1) // ROOM_FOR)
    return [
        HypervisorFact(
            10 * place.id + n,
            f"{SITES[place.id - 1]}-kvm-{n:02}",
            place.id,
            f"10.1.{place.id}.{n}",
            servers=80 * times if n == 1 else 0,
            memory=(262_144 if n <= SMALLER else 393_216) * times,
            cores=(96 if n <= SMALLER else 192) * times,
            storage=(10_000 if n <= SMALLER else 16_000) * times,
            maintenance=place is LOCATIONS[-1] and n == HYPERVISORS_EACH,
        )
        for place in LOCATIONS
        for n in range(1, HYPERVISORS_EACH + 1)
    ]


def keys(plan: WorldPlan, born: datetime) -> list[KeyFact]:
    """The first user has two, every other one has one."""
    owners = [(0, "workstation"), (0, "deploy")] + [(index, "laptop") for index in range(1, plan.users, 2)]
    return [
        KeyFact(number, FIRST_USER + owner, name, public_key(name, number), born - timedelta(days=400 - number))
        for number, (owner, name) in enumerate(owners, 1)
    ]


def public_key(name: str, seed: int) -> str:
    """A public key as OpenSSH writes it, which belongs to nobody."""
    kind = b"ssh-ed25519"
    content = len(kind).to_bytes(4) + kind + (32).to_bytes(4) + random.Random(seed).randbytes(32)
    return f"{kind.decode()} {base64.b64encode(content).decode()} {name}"


def users(plan: WorldPlan, born: datetime) -> list[UserFact]:
    """User ``index`` has id 101 + index and external relation 5001 + index; its name and e-mail never change."""
    made: list[UserFact] = []
    for index in range(plan.users):
        again = index // len(COMPANIES)
        name = COMPANIES[index % len(COMPANIES)] + (f" {again + 1}" if again else "")
        address = "".join(c for c in name.lower() if c.isalnum())
        created = born - timedelta(days=900 - (index * 37) % 700)
        user = UserFact(FIRST_USER + index, FIRST_RELATION + index, name, f"office@{address}.example", created)
        made.append(user)
    return made


def _shares(plan: WorldPlan, dice: random.Random) -> list[int]:
    """The user index of each server: first users first, then by chance, a few with many and many with few."""
    owners = [index for index, count in enumerate(plan.first_users[: plan.users]) for _ in range(count)]
    others = range(min(len(plan.first_users), plan.users - 1), plan.users)
    weights = [1 / (n + 2) for n in range(len(others))]
    rest = max(0, plan.servers - len(owners))
    return [*owners, *dice.choices(others, weights, k=rest)][: plan.servers]


def _addresses() -> list[str]:
    return [str(host) for block in BLOCKS for host in IPv4Network(block).hosts()]


class Builder:
    """Makes servers one after the other."""

    def __init__(self, plan: WorldPlan, born: datetime, machines: list[HypervisorFact]) -> None:
        self.plan = plan
        self.born = born
        self.machines = machines
        self.dice = random.Random(plan.seed)
        self.addresses = chain(_addresses(), (str(host) for host in IPv4Network(MORE).hosts()))
        self.taken: dict[tuple[int, str], int] = {}

    def servers(self) -> list[ServerFact]:
        counts: dict[int, int] = {}
        made: list[ServerFact] = []
        for number, owner in enumerate(_shares(self.plan, self.dice)):
            nth = counts[owner] = counts.get(owner, 0) + 1
            made.append(self._server(number, owner, nth))
        return made

    def _state(self, owner: int, nth: int) -> str:
        by_chance = self.dice.choices(STATES, STATE_WEIGHTS)[0]
        if owner >= len(self.plan.first_users):
            return by_chance
        return VARIED.get(nth, "running")

    def _server(self, number: int, owner: int, nth: int) -> ServerFact:
        dice = self.dice
        state = self._state(owner, nth)
        template = dice.choices(TEMPLATES, TEMPLATE_WEIGHTS)[0]
        name = self._name(owner, template)
        created = self.born - timedelta(days=dice.randint(3, 800), minutes=dice.randint(0, 1439))
        if state == "building":
            created = self.born
        domain = "".join(c for c in COMPANIES[owner % len(COMPANIES)].lower() if c.isalnum())
        done = state not in {"building", "failed"}
        return ServerFact(
            id=FIRST_SERVER + number,
            uuid=str(UUID(int=dice.getrandbits(128), version=4)),
            owner_id=FIRST_USER + owner,
            hypervisor_id=dice.choice(self.machines).id,
            package_id=dice.choices(PACKAGES, PACKAGE_WEIGHTS)[0].id,
            template_id=template.id,
            name=name,
            hostname=f"{name}.{domain}.example",
            commissioned={"building": 1, "failed": 2}.get(state, 3),
            state={"building": "queued", "failed": "failed"}.get(state, "complete"),
            running=state == "running",
            ipv4=[next(self.addresses) for _ in range(2 if dice.random() < 0.08 else 1)],  # noqa: PLR2004
            ipv6=f"2001:db8:{number // 65535:x}:{number % 65535 + 1:x}::",
            created=created,
            updated=created,
            built=created + timedelta(minutes=2) if done else None,
            suspended=state == "suspended",
            build_failed=state == "failed",
        )

    def _name(self, owner: int, template: TemplateFact) -> str:
        name = self.dice.choice(WINDOWS_ROLES if template.windows else ROLES)
        seen = self.taken[owner, name] = self.taken.get((owner, name), 0) + 1
        return name if seen == 1 else f"{name}-{chr(ord('a') + (seen - 2) % 26)}{(seen - 2) // 26 or ''}"


def builds(plan: WorldPlan, servers: list[ServerFact], now: float) -> list[QueueFact]:
    """The queue items of servers that are being built, each at another point of its work."""
    whole = plan.build_minutes * 60
    waiting = [server for server in servers if server.state == "queued"]
    made: list[QueueFact] = []
    for number, server in enumerate(waiting):
        begun = now - whole * (number % 10) / 20
        made.append(QueueFact(number + 1, server.id, Work.BUILD, begun, begun + whole, begun + whole))
    return made
