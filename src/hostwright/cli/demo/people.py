"""Those whose sign-ins the demo tells: made once, kept, and given new passwords when the file with them was lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from hostwright.audit.service import record
from hostwright.cli.demo import company
from hostwright.cli.demo.accounts import Account, DemoFile, new_password, read_accounts, write_accounts
from hostwright.core.config import Config
from hostwright.core.crypto import Keyring
from hostwright.core.db import Command, Database, Query, Scalar, Tx
from hostwright.core.passwords import Passwords
from hostwright.identity import queries as identity
from hostwright.identity.policy import allowed_scopes
from hostwright.identity.records import UserRecord
from hostwright.identity.service import create_api_key

FILLED: Final = "demo.filled"
KEY_NAME: Final = "Demo"
CLIENTS: Final = 2

is_filled = Scalar(bool, "select exists (select from audit_log where action = $1)")
# The admin was made first, and then the customers in the order of the vendor's users.
first_people = Query(UserRecord, "select " + identity.USER + " from users u order by u.id limit $1")
move_connection = Command(
    "update connections set base_url = $1, updated_at = now() where kind = 'virtfusion' and base_url <> $1"
)
revoke_keys = Command("update api_keys set revoked_at = now() where user_id = $1 and name = $2 and revoked_at is null")


class Demo:
    """One demo: its database, its simulator and its file of sign-ins."""

    def __init__(self, config: Config, database: Database, passwords: Passwords, simulator: str) -> None:
        assert config.data_dir is not None
        self.config = config
        self.folder: Path = config.data_dir
        self.database = database
        self.passwords = passwords
        self.simulator = simulator
        self.keyring = Keyring.load(config)

    async def is_filled(self) -> bool:
        """Whether an earlier start got to the end."""
        async with self.database.acquire() as db:
            return await is_filled.value(db, FILLED)

    async def set_filled(self, tx: Tx) -> None:
        """From here on everything that was made is kept."""
        await record(tx, actor_id=None, actor_label=company.NAME, action=FILLED, outcome="done")

    async def keep(self) -> None:
        """Tell an earlier demo where its simulator is now; a lost file gets new passwords and keys."""
        known = read_accounts(self.folder)
        async with self.database.transaction() as tx:
            await move_connection.run(tx, self.simulator)
        self.write(known.accounts if known else await self._renew())

    async def _renew(self) -> list[Account]:
        words = [new_password() for _ in range(1 + CLIENTS)]
        hashes = await self.hashes(words)
        accounts: list[Account] = []
        async with self.database.transaction() as tx:
            people = await first_people.all(tx, len(words))
            for user, word, encoded in zip(people, words, hashes, strict=True):
                customer = await identity.first_membership.one(tx, user.id)
                await identity.set_password_hash.run(tx, user.id, encoded)
                await revoke_keys.run(tx, user.id, KEY_NAME)
                accounts.append(await self.account(tx, user, customer.id, word))
        return accounts

    async def hashes(self, words: list[str]) -> list[str]:
        """Encoded passwords."""
        return await asyncio.gather(*(self.passwords.hash_password(word) for word in words))

    async def account(self, tx: Tx, user: UserRecord, customer_id: int, password: str) -> Account:
        """How to sign in as ``user``, with a new key."""
        scopes = allowed_scopes(user.role)
        made = await create_api_key(tx, user=user, customer_id=customer_id, name=KEY_NAME, scopes=scopes)
        return Account(user.role.value, user.email, password, made.key, customer_id)

    def write(self, accounts: list[Account]) -> None:
        """Write the file, unless it says so already."""
        file = DemoFile(self.config.public_url, {"virtfusion": self.simulator}, accounts)
        if read_accounts(self.folder) != file:
            write_accounts(self.folder, file)
