"""Reading public SSH keys. Nothing that is refused here is kept, shown again or logged."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from hostwright.core.errors import FieldProblem, Invalid

FIELD: Final = "publicKey"
LEAST_RSA: Final = 2048
MOST_RSA: Final = 16_384
MOST_COMMENT: Final = 100

# What each kind is called, and its size where the kind decides it.
KINDS: Final[dict[str, tuple[str, int | None]]] = {
    "ssh-ed25519": ("Ed25519", 256),
    "ssh-rsa": ("RSA", None),
    "ecdsa-sha2-nistp256": ("ECDSA", 256),
    "ecdsa-sha2-nistp384": ("ECDSA", 384),
    "ecdsa-sha2-nistp521": ("ECDSA", 521),
    "sk-ssh-ed25519@openssh.com": ("Ed25519-SK", 256),
    "sk-ecdsa-sha2-nistp256@openssh.com": ("ECDSA-SK", 256),
}

PRIVATE: Final = (
    "This is a private key. It was neither stored nor logged, but it has left your computer: treat it as exposed, make"
    " a new pair, and paste the public half, the file that ends in .pub."
)
EMPTY: Final = "is required"
ONE_LINE: Final = "Paste one key, on one line, as the file that ends in .pub has it."
OPTIONS: Final = "Leave out what stands before the type of the key: options are not taken over."
CERTIFICATE: Final = "This is a certificate. Paste the public key that it was made for."
DSA: Final = "DSA keys are not safe any more. Make an Ed25519 key instead: ssh-keygen -t ed25519"
UNKNOWN: Final = "This is no public SSH key. It begins with ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, for example."
BROKEN: Final = "This key is damaged: a part of it may be missing. Copy the whole line again."
TOO_SHORT: Final = "This RSA key is too short to be safe. Use one of 2048 bits or more, or an Ed25519 key."


class PublicKey(msgspec.Struct, frozen=True):
    """A public key. ``text`` is type and key, without the comment."""

    text: str
    kind: str
    bits: int
    fingerprint: str
    comment: str


def fingerprint_of(blob: bytes) -> str:
    """As ``ssh-keygen -l`` shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _refuse(message: str) -> Invalid:
    return Invalid([FieldProblem(FIELD, message)])


def is_private(text: str) -> bool:
    """Whether a text holds, or begins like, a private key of any format."""
    upper = text.upper()
    return "PRIVATE KEY" in upper or "PUTTY-USER-KEY-FILE" in upper or "PRIVATE-LINES" in upper


def refuse_private(*texts: str) -> None:
    """Raise `Invalid` when one of these texts is a private key, wherever it was pasted."""
    if any(is_private(text) for text in texts):
        raise _refuse(PRIVATE)


def parse_public_key(text: str) -> PublicKey:
    """The key in a text; raises `Invalid`, which says what to do and holds nothing of the text."""
    refuse_private(text)
    line = text.strip()
    if not line:
        raise _refuse(EMPTY)
    if "\n" in line or "\r" in line or "BEGIN SSH2" in line:
        raise _refuse(ONE_LINE)
    kind, blob, comment = _parts(line)
    name, bits = KINDS[kind]
    return PublicKey(
        f"{kind} {base64.b64encode(blob).decode()}", name, bits or _rsa_bits(kind, blob), fingerprint_of(blob), comment
    )


def _parts(line: str) -> tuple[str, bytes, str]:
    words = line.split(None, 2)
    kind = words[0]
    if "-cert-v0" in kind:
        raise _refuse(CERTIFICATE)
    if kind == "ssh-dss":
        raise _refuse(DSA)
    if kind not in KINDS:
        raise _refuse(OPTIONS if any(f" {each} " in line for each in KINDS) else UNKNOWN)
    if len(words) == 1:
        raise _refuse(BROKEN)
    blob = _blob(words[1])
    _load(kind, blob)
    comment = "".join(each for each in (words[2] if len(words) > 2 else "") if each.isprintable())  # noqa: PLR2004
    return kind, blob, comment.strip()[:MOST_COMMENT]


def _blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _refuse(BROKEN) from error


def _load(kind: str, blob: bytes) -> object:
    """The key itself, which has to be of the kind that the line says."""
    try:
        return load_ssh_public_key(f"{kind} {base64.b64encode(blob).decode()}".encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refuse(BROKEN) from error


def _rsa_bits(kind: str, blob: bytes) -> int:
    key = _load(kind, blob)
    bits = key.key_size if isinstance(key, RSAPublicKey) else 0
    if not LEAST_RSA <= bits <= MOST_RSA:
        raise _refuse(TOO_SHORT)
    return bits


def known_key(text: str) -> PublicKey | None:
    """A key that is kept already, whatever its length; None when it cannot be read."""
    words = text.split(None, 2)
    if len(words) < 2:  # noqa: PLR2004  type and key
        return None
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    name, bits = KINDS.get(words[0], (words[0], 0))
    if words[0] == "ssh-rsa":
        try:
            key = _load(words[0], blob)
        except Invalid:
            return None
        bits = key.key_size if isinstance(key, RSAPublicKey) else 0
    comment = words[2].strip() if len(words) > 2 else ""  # noqa: PLR2004
    return PublicKey(f"{words[0]} {words[1]}", name, bits or 0, fingerprint_of(blob), comment)
