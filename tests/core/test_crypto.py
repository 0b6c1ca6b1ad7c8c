"""Secrets at rest, keys, tokens and passwords."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from hostwright.core.config import Config
from hostwright.core.crypto import (
    KeyMissing,
    Keyring,
    KeysUnusable,
    Tampered,
    check_keys,
    new_key,
    new_token,
    token_hash,
)
from hostwright.core.db import Command, Database
from hostwright.core.errors import TooManyRequests
from hostwright.core.passwords import Passwords

PLACE = ("connections", "token", 7)


def test_a_secret_comes_back() -> None:
    keyring = Keyring.parse(new_key())
    blob = keyring.encrypt(*PLACE, b"open sesame")
    assert b"sesame" not in blob
    assert len(blob) == 33 + len(b"open sesame")
    assert keyring.decrypt(*PLACE, blob) == b"open sesame"
    assert keyring.encrypt(*PLACE, b"open sesame") != blob


@pytest.mark.parametrize("place", [("connections", "token", 8), ("connections", "other", 7), ("users", "token", 7)])
def test_another_place_is_refused(place: tuple[str, str, int]) -> None:
    keyring = Keyring.parse(new_key())
    with pytest.raises(Tampered):
        keyring.decrypt(*place, keyring.encrypt(*PLACE, b"secret"))


def test_damage_is_refused() -> None:
    keyring = Keyring.parse(new_key())
    blob = keyring.encrypt(*PLACE, b"secret")
    for at in (0, 6, len(blob) - 1):
        broken = bytearray(blob)
        broken[at] ^= 1
        with pytest.raises(Tampered):
            keyring.decrypt(*PLACE, bytes(broken))
    with pytest.raises(Tampered):
        keyring.decrypt(*PLACE, b"")


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    old, new = new_key(), new_key()
    blob = Keyring.parse(old).encrypt(*PLACE, b"secret")
    both = Keyring.parse(f"{new},{old}")
    assert both.decrypt(*PLACE, blob) == b"secret"
    assert Keyring.parse(new).decrypt(*PLACE, both.encrypt(*PLACE, b"x")) == b"x"
    with pytest.raises(KeyMissing, match="not given"):
        Keyring.parse(new).decrypt(*PLACE, blob)


def test_macs_differ_by_purpose_and_outlive_a_rotation() -> None:
    old, new = new_key(), new_key()
    before, after = Keyring.parse(old), Keyring.parse(f"{new},{old}")
    assert before.mac("csrf", b"x") == before.mac("csrf", b"x") != before.mac("code", b"x")
    assert after.mac("csrf", b"x") != before.mac("csrf", b"x")
    assert after.verify_mac("csrf", b"x", before.mac("csrf", b"x"))
    assert not after.verify_mac("code", b"x", before.mac("csrf", b"x"))


@pytest.mark.parametrize("text", ["", "short", "not base64!", "QUJD"])
def test_unusable_keys_have_one_clear_line(text: str) -> None:
    with pytest.raises(KeysUnusable) as caught:
        Keyring.parse(text)
    assert "\n" not in str(caught.value)
    assert text == "" or text not in str(caught.value)


def test_a_key_given_twice_is_refused() -> None:
    key = new_key()
    with pytest.raises(KeysUnusable, match="twice"):
        Keyring.parse(f"{key},{key}")


def test_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "keys"
    made = Keyring.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Keyring.create(path).key_ids == made.key_ids
    assert Keyring.load(Config(keys_file=path)).key_ids == made.key_ids
    assert Keyring.load(Config(data_dir=path.parent)).key_ids == made.key_ids
    assert [child.name for child in path.parent.iterdir()] == ["keys"]
    path.chmod(0o644)
    with pytest.raises(KeysUnusable, match="chmod 600"):
        Keyring.load(Config(keys_file=path))


def test_no_keys_at_all() -> None:
    with pytest.raises(KeysUnusable, match="HOSTWRIGHT_KEYS"):
        Keyring.load(Config())
    with pytest.raises(KeysUnusable, match="cannot be read"):
        Keyring.load(Config(keys_file=Path("/nowhere/keys")))


def test_tokens() -> None:
    token = new_token("hw_")
    assert token.startswith("hw_")
    assert len(token) > 40
    assert token != new_token("hw_")
    assert len(token_hash(token)) == 32


async def test_a_start_without_the_needed_key_is_refused(database: Database) -> None:
    keyring = Keyring.parse(new_key())
    insert = Command("insert into connections (id, kind, name, base_url, token) values (1, 'virtfusion', 'a', 'b', $1)")
    async with database.transaction() as tx:
        await check_keys(tx, keyring)
        await insert.run(tx, keyring.encrypt("connections", "token", 1, b"secret"))
        await check_keys(tx, keyring)
        with pytest.raises(KeyMissing, match="HOSTWRIGHT_KEYS") as caught:
            await check_keys(tx, Keyring.parse(new_key()))
    assert "\n" not in str(caught.value)


@pytest.fixture
def quick() -> Passwords:
    return Passwords(memory_kib=8, iterations=1, max_waiting=4)


async def test_passwords(quick: Passwords) -> None:
    encoded = await quick.hash_password("correct horse")
    assert encoded.startswith("$argon2id$")
    assert await quick.verify_password(encoded, "correct horse")
    assert not await quick.verify_password(encoded, "wrong horse")
    assert not await quick.verify_password(None, "nobody has this password")
    assert not await quick.verify_password("no hash", "correct horse")
    assert not quick.needs_rehash(encoded)
    full = Passwords()
    assert full.needs_rehash(encoded)
    quick.close()
    full.close()


async def test_an_unknown_user_takes_as_long() -> None:
    passwords = Passwords()
    encoded = await passwords.hash_password("correct horse")
    spent: list[float] = []
    for known in (encoded, None) * 3:
        began = time.perf_counter()
        await passwords.verify_password(known, "wrong horse")
        spent.append(time.perf_counter() - began)
    assert min(spent[1::2]) > min(spent[::2]) / 2
    passwords.close()


async def test_too_many_at_once_are_refused(quick: Passwords) -> None:
    results = await asyncio.gather(*(quick.hash_password("x" * 20) for _ in range(40)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, TooManyRequests)]
    assert refused
    assert len(refused) < 40
    await asyncio.sleep(0.05)
    assert await quick.hash_password("again")
    quick.close()
