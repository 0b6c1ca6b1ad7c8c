"""Makes the company: people, the attached vendor, its servers, and what happened lately."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from hostwright.cli.demo import company
from hostwright.cli.demo.accounts import new_password
from hostwright.cli.demo.history import add_history, add_past_of_people, add_sign_ins
from hostwright.cli.demo.mirror import fill_mirror
from hostwright.cli.demo.people import CLIENTS, Demo
from hostwright.cli.demo.simulated import ask
from hostwright.core.db import Command, Tx
from hostwright.identity.records import Role, UserRecord
from hostwright.identity.service import create_user
from hostwright.servers.service import add_connection, link_account
from hostwright.upstream.factory import connection_providers

CALLS_PER_MINUTE: Final = 240

set_country = Command("update locations set country = $2 where name = $1")

type Made = list[tuple[UserRecord, int]]


async def make(demo: Demo) -> None:
    """Make everything, then the file that tells the sign-ins."""
    # An earlier start may have been killed while it meddled with the simulated company.
    await asyncio.to_thread(ask, demo.simulator, "reset", method="POST")
    world = msgspec.convert(await asyncio.to_thread(ask, demo.simulator, "world"), company.World)
    people = [company.admin(), *company.customers(world.users)]
    words = [new_password() for _ in range(1 + CLIENTS)]
    # Nobody signs in as the others; their password is known to nobody.
    hashes = await demo.hashes([*words, new_password()])
    async with demo.database.transaction() as tx:
        made = [
            await _person(tx, person, Role.CLIENT if number else Role.ADMIN, hashes[min(number, len(words))])
            for number, person in enumerate(people)
        ]
        connection_id = await _attach(demo, tx, people, made)
    async with connection_providers(demo.config, demo.database, demo.keyring) as providers:
        await fill_mirror(demo.database, providers, connection_id, demo.simulator, add_history)
    async with demo.database.transaction() as tx:
        for place in world.locations:
            await set_country.run(tx, place.name, place.country)
        await add_sign_ins(tx, [user for user, _ in made], session_days=demo.config.session_days)
        await add_past_of_people(tx)
        accounts = [
            await demo.account(tx, user, customer_id, word)
            for (user, customer_id), word in zip(made, words, strict=False)
        ]
        await demo.set_filled(tx)
    demo.write(accounts)


async def _person(tx: Tx, person: company.Person, role: Role, encoded: str) -> tuple[UserRecord, int]:
    return await create_user(
        tx,
        username=person.username,
        email=person.email,
        full_name=person.full_name,
        password_hash=encoded,
        role=role,
        customer_name=person.customer,
    )


async def _attach(demo: Demo, tx: Tx, people: list[company.Person], made: Made) -> int:
    """The connection to the simulator, with whose accounts are whose there; returns its id."""
    connection_id = await add_connection(
        tx,
        demo.keyring,
        name="VirtFusion",
        base_url=demo.simulator,
        token=company.TOKEN,
        calls_per_minute=CALLS_PER_MINUTE,
    )
    for person, (_, customer_id) in zip(people, made, strict=True):
        if person.external_user is not None:
            relation = person.external_relation
            await link_account(tx, connection_id, customer_id, person.external_user, external_relation_id=relation)
    return connection_id
