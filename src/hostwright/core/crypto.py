"""Secrets at rest: AES-256-GCM bound to table, column and row, with several keys; hashes of tokens; keyed hashes.

A blob is version (1 byte), key id (4), nonce (12), ciphertext and tag. There is no unencrypted fallback.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hostwright.core.config import Config, ConfigError
from hostwright.core.db import Db, Scalar

VERSION: Final = 1
KEY_BYTES: Final = 32
ID_BYTES: Final = 4
NONCE_BYTES: Final = 12
HEAD_BYTES: Final = 1 + ID_BYTES + NONCE_BYTES
TOKEN_BYTES: Final = 32
FILE_MODE: Final = 0o600

# Every secret column that is encrypted.
key_ids_in_use = Scalar(bytes, "select distinct substring(token from 2 for 4) from connections")


class KeysUnusable(ConfigError):
    """The keys cannot be read; the message is one clear line."""


class KeyMissing(Exception):
    """A secret was encrypted with a key that this process does not have."""


class Tampered(Exception):
    """A ciphertext is damaged, or stands in another row or column than it was made for."""


class Keyring:
    """The keys of an installation: the first encrypts, all decrypt."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            message = f"each key must be {KEY_BYTES} bytes, written as base64"
            raise KeysUnusable(message)
        self._secrets = list(keys)
        self._ids = [_key_id(key) for key in keys]
        self._ciphers = {_key_id(key): AESGCM(_derived(key, "encrypt")) for key in keys}
        if len(self._ciphers) != len(keys):
            message = "the same key is given twice"
            raise KeysUnusable(message)
        self._macs: dict[tuple[int, str], bytes] = {}

    def __repr__(self) -> str:
        """Ids only."""
        return f"Keyring({', '.join(key_id.hex() for key_id in self._ids)})"

    @classmethod
    def load(cls, config: Config) -> Keyring:
        """The keys from the environment, or from the keys file; raises `KeysUnusable`."""
        if config.keys:
            return cls.parse(config.keys)
        path = config.keys_file or (config.data_dir / "keys" if config.data_dir else None)
        if path is None:
            message = "no keys: set HOSTWRIGHT_KEYS or HOSTWRIGHT_KEYS_FILE"
            raise KeysUnusable(message)
        return cls.parse(_read_private(path))

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """Keys in base64, separated by commas or lines."""
        try:
            found = [base64.b64decode(part, validate=True) for part in text.replace(",", " ").split()]
        except binascii.Error as error:
            message = "the keys are not valid base64"
            raise KeysUnusable(message) from error
        return cls(found)

    @classmethod
    def create(cls, path: Path) -> Keyring:
        """The keys of a file, made with a new key when it is missing. Several callers at once get the same key."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        if not path.exists():
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(new_key() + "\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                path.hardlink_to(fresh)  # fails when somebody was quicker, unlike a rename
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return cls.parse(_read_private(path))

    @property
    def key_ids(self) -> frozenset[bytes]:
        """The ids of all keys."""
        return frozenset(self._ids)

    def encrypt(self, table: str, column: str, row_id: int, plaintext: bytes) -> bytes:
        """Ciphertext for exactly this place; the row's id must be known first (``nextval``)."""
        key_id, nonce = self._ids[0], secrets.token_bytes(NONCE_BYTES)
        place = _place(key_id, table, column, row_id)
        return bytes([VERSION]) + key_id + nonce + self._ciphers[key_id].encrypt(nonce, plaintext, place)

    def decrypt(self, table: str, column: str, row_id: int, blob: bytes) -> bytes:
        """The plaintext; raises `KeyMissing`, or `Tampered` for a blob that is damaged or of another row."""
        if len(blob) < HEAD_BYTES or blob[0] != VERSION:
            message = f"{table}.{column} of row {row_id} holds no ciphertext that this release knows"
            raise Tampered(message)
        key_id, nonce = blob[1 : 1 + ID_BYTES], blob[1 + ID_BYTES : HEAD_BYTES]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            message = f"{table}.{column} of row {row_id} was encrypted with key {key_id.hex()}, which is not given"
            raise KeyMissing(message)
        try:
            return cipher.decrypt(nonce, blob[HEAD_BYTES:], _place(key_id, table, column, row_id))
        except InvalidTag:
            message = f"{table}.{column} of row {row_id} is damaged or belongs to another row"
            raise Tampered(message) from None

    def mac(self, purpose: str, data: bytes) -> bytes:
        """A keyed hash (32 bytes) by the first key; different for each purpose."""
        return self._mac(0, purpose, data)

    def verify_mac(self, purpose: str, data: bytes, mac: bytes) -> bool:
        """Whether any of our keys made this hash; takes the same time either way."""
        found = [hmac.compare_digest(self._mac(at, purpose, data), mac) for at in range(len(self._secrets))]
        return any(found)

    def _mac(self, at: int, purpose: str, data: bytes) -> bytes:
        subkey = self._macs.get((at, purpose))
        if subkey is None:
            subkey = self._macs[at, purpose] = _derived(self._secrets[at], f"mac {purpose}")
        return hmac.digest(subkey, data, "sha256")


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"hostwright {purpose}".encode()).derive(key)


def _key_id(key: bytes) -> bytes:
    return _derived(key, "key id")[:ID_BYTES]


def _place(key_id: bytes, table: str, column: str, row_id: int) -> bytes:
    return f"{key_id.hex()}|{table}|{column}|{row_id}".encode()


def _read_private(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            message = f"the keys file {path} can be read by others; run: chmod 600 {path}"
            raise KeysUnusable(message)
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        message = f"the keys file {path} cannot be read: {type(error).__name__}"
        raise KeysUnusable(message) from error


def new_key() -> str:
    """A fresh key in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


async def check_keys(db: Db, keyring: Keyring) -> None:
    """Refuse to start without a key that secrets in the database need; raises `KeyMissing` with one clear line."""
    missing = sorted(set(await key_ids_in_use.all(db)) - keyring.key_ids)
    if missing:
        names = ", ".join(key_id.hex() for key_id in missing)
        message = f"secrets in the database need the key {names}, which HOSTWRIGHT_KEYS or the keys file does not hold"
        raise KeyMissing(message)


def token_hash(token: str) -> bytes:
    """SHA-256 of a random token: what is stored instead of it."""
    return hashlib.sha256(token.encode()).digest()


def new_token(prefix: str = "") -> str:
    """A random token of 256 bits, safe in URLs, headers and cookies."""
    return prefix + secrets.token_urlsafe(TOKEN_BYTES)
