"""The opening of RFB (RFC 6143, section 7.1): signing in to a screen, and letting somebody else in without a password.

After both, whoever was let in speaks with the screen itself: what follows is the same in every version.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from hostwright.core.relay import Buffered

NONE: Final = 1
PASSWORD: Final = 2
GREETING: Final = 12
OLDEST: Final = 3
WITH_LIST: Final = 7  # from this minor version on, the screen offers kinds of security
WITH_RESULT: Final = 8  # from this one on, it says how it went even without a password
NEWEST: Final = b"RFB 003.008\n"
KEY_BYTES: Final = 8
# Keys, pointer, clipboard, and the extension for keys: what a person does. The rest is the client's own talk.
INPUT: Final = frozenset({4, 5, 6, 255})


class NotAScreen(Exception):
    """What answers does not speak RFB, or in a way that we do not."""


class PasswordRefused(Exception):
    """The screen does not take the password."""


def is_input(message: bytes) -> bool:
    """Whether a client's message comes from a person. Clients send each message for itself."""
    return message[0] in INPUT


def answer_to(challenge: bytes, password: str) -> bytes:
    """DES of the challenge. The key is the password's first eight bytes, each with its bits turned round."""
    key = password.encode("latin-1", "replace")[:KEY_BYTES].ljust(KEY_BYTES, b"\0")
    turned = bytes(int(f"{byte:08b}"[::-1], 2) for byte in key)
    # Three times the same key is DES, which exists by no other name any more.
    cipher = Cipher(TripleDES(turned * 3), modes.ECB()).encryptor()  # noqa: S305  the protocol asks for it
    return cipher.update(challenge) + cipher.finalize()


def minor_version(greeting: bytes) -> int:
    """8 of ``RFB 003.008``; raises `NotAScreen`. Odd ones count as 3, ones of the future as 8."""
    if not greeting.startswith(b"RFB ") or not greeting[4:7].isdigit() or not greeting[8:11].isdigit():
        raise NotAScreen
    if greeting[4:7] > b"003":
        return WITH_RESULT
    minor = int(greeting[8:11])
    return OLDEST if minor < WITH_LIST else min(minor, WITH_RESULT)


async def sign_in(screen: Buffered, password: str) -> None:
    """Sign in to a screen; raises `NotAScreen`, `PasswordRefused`, or ConnectionResetError when it hangs up."""
    minor = minor_version(await screen.exactly(GREETING))
    await screen.send(b"RFB 003.%03d\n" % minor)
    kind = await _kind(screen, minor, PASSWORD if password else NONE)
    if kind == PASSWORD:
        await screen.send(answer_to(await screen.exactly(16), password))
    if (kind == PASSWORD or minor >= WITH_RESULT) and await screen.exactly(4) != bytes(4):
        raise PasswordRefused


async def _kind(screen: Buffered, minor: int, wanted: int) -> int:
    """Which security is used: what is wanted when it is offered, the other one that we know otherwise."""
    if minor < WITH_LIST:
        offered = [int.from_bytes(await screen.exactly(4))]
    else:
        offered = list(await screen.exactly((await screen.exactly(1))[0]))
    for kind in (wanted, NONE, PASSWORD):
        if kind in offered:
            if minor >= WITH_LIST:
                await screen.send(bytes([kind]))
            return kind
    raise NotAScreen


async def let_in(client: Buffered) -> None:
    """Greet a client of version 3.8 and ask for nothing; raises `NotAScreen` when it says something else."""
    await client.send(NEWEST)
    if await client.exactly(GREETING) != NEWEST:
        raise NotAScreen
    await client.send(bytes([1, NONE]))
    if await client.exactly(1) != bytes([NONE]):
        raise NotAScreen
    await client.send(bytes(4))
