"""Who works for the demo's company and who its customers are. The vendor's simulator knows the same customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

NAME: Final = "Northlight Hosting"
DOMAIN: Final = "northlight.example"
SERVERS: Final = 400
CUSTOMERS: Final = 42
FIRST_CUSTOMERS: Final = (14, 3)  # how many servers the first two have, in all sorts of states
TOKEN: Final = "simulated-virtfusion-token"  # noqa: S105  opens nothing but the simulator
SEED: Final = 1

ADMIN: Final = "Ingrid Solheim"
PEOPLE: Final = (
    "Mara Lindqvist,Tobias Falk,Aiko Tanaka,Henrik Dahl,Celeste Marceau,Owen Tidewell,Priya Raman,Sofia Granados,"
    "Daniel Okoye,Lena Hartmann,Jonas Birk,Freya Copper,Rafael Mendes,Ellen Willows,Marcus Ironside,Yara Haddad,"
    "June Petersen,Amélie Laurent,Noah Quill,Ruth Redwood,Clara Starling,Victor Amberg,Astrid Nyland,Simon Chalk,"
    "Nadia Velasco,Gareth Marsh,Pia Koskinen,Edward Oakes,Leila Brightman,Tom Tandy,Isla Thorne,Otto Uhrmacher,"
    "Selma Moos,Willem de Molen,Grace Lantern,Fiona Glover,Bastian Salt,Marigold Hughes,Samir Aziz,Nina Nimbus,"
    "Gregor Finch,Olga Opalinska"
).split(",")
AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
)


class Person(msgspec.Struct, frozen=True):
    """Somebody who signs in. ``external_user`` is their customer's user at the vendor, None for staff."""

    username: str
    email: str
    full_name: str
    customer: str
    external_user: int | None = None
    external_relation: int | None = None


class VendorUser(msgspec.Struct, frozen=True, rename="camel"):
    """A customer as the vendor knows it."""

    id: int
    ext_relation_id: int
    name: str
    email: str


class Place(msgspec.Struct, frozen=True):
    """Where servers stand."""

    name: str
    country: str


class World(msgspec.Struct, frozen=True):
    """What the simulator says about its company."""

    users: list[VendorUser]
    locations: list[Place]


def admin() -> Person:
    """Who runs the company."""
    return Person("ingrid", f"ingrid@{DOMAIN}", ADMIN, NAME)


def customers(users: Sequence[VendorUser]) -> list[Person]:
    """One person for each of the vendor's users, in their order."""
    return [_person(full_name, user) for full_name, user in zip(PEOPLE, users, strict=True)]


def _person(full_name: str, user: VendorUser) -> Person:
    plain = full_name.lower().encode("ascii", "ignore").decode()
    return Person(
        username=".".join(plain.split()),
        email=f"{plain.split()[0]}@{user.email.partition('@')[2]}",
        full_name=full_name,
        customer=user.name,
        external_user=user.id,
        external_relation=user.ext_relation_id,
    )
