"""Attached systems: the token is ciphertext bound to its row, providers follow the row."""

from __future__ import annotations

from typing import Any

import pytest

from hostwright.core.db import Scalar
from hostwright.core.errors import NotFound
from hostwright.core.providers import Transient
from hostwright.servers import providers as module
from hostwright.servers.providers import ConnectionProviders
from hostwright.servers.records import ConnectionRow
from hostwright.servers.service import add_connection, link_account
from hostwright.servers.service.connections import AccountTaken

from .helpers import House, MemoryCompute

TOKEN = "vf-secret-token"
stored = Scalar(bytes, "select token from connections where id = $1")
switch = Scalar(int, "update connections set enabled = $2, updated_at = now() where id = $1 returning 1")


class Binding:
    """A keyring that shows what a ciphertext is bound to."""

    def encrypt(self, table: str, column: str, row_id: int, plaintext: bytes) -> bytes:
        return f"{table}.{column}.{row_id}:".encode() + plaintext[::-1]

    def decrypt(self, table: str, column: str, row_id: int, ciphertext: bytes) -> bytes:
        bound, _, text = ciphertext.partition(b":")
        assert bound == f"{table}.{column}.{row_id}".encode()
        return text[::-1]


async def attach(house: House) -> int:
    keyring: Any = Binding()
    async with house.database.transaction() as tx:
        return await add_connection(
            tx, keyring, name="Paris", base_url="https://cp.example.com/", token=TOKEN, calls_per_minute=60
        )


async def test_the_token_is_bound_to_its_row(house: House) -> None:
    connection_id = await attach(house)
    async with house.database.acquire() as db:
        assert (await stored.value(db, connection_id)).startswith(f"connections.token.{connection_id}:".encode())


async def test_a_provider_is_made_once_and_anew_when_its_row_changes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
    made: list[tuple[str, str]] = []

    def make(row: ConnectionRow, token: str) -> MemoryCompute:
        made.append((row.base_url, token))
        return MemoryCompute()

    keyring: Any = Binding()
    providers = ConnectionProviders(house.database, keyring, make)
    connection_id = await attach(house)
    first = await providers.compute(connection_id)
    assert await providers.compute(connection_id) is first
    assert made == [("https://cp.example.com", TOKEN)]
    async with house.database.transaction() as tx:
        await switch.value(tx, connection_id, False)
    with pytest.raises(Transient):
        await providers.compute(connection_id)
    async with house.database.transaction() as tx:
        await switch.value(tx, connection_id, True)
    assert await providers.compute(connection_id) is not first
    with pytest.raises(NotFound):
        await providers.compute(connection_id + 1)


async def test_an_account_belongs_to_one_customer(house: House) -> None:
    with pytest.raises(AccountTaken):
        async with house.database.transaction() as tx:
            await link_account(tx, house.connection_id, house.stranger_id, 100)
