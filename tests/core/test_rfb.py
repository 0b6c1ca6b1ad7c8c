"""Signing in to screens, and letting clients in."""

from __future__ import annotations

import asyncio

import pytest

from hostwright.core import rfb
from hostwright.core.relay import Buffered
from tests.core.test_relay import MemoryEnd


def screen(*said: bytes) -> tuple[MemoryEnd, Buffered]:
    """A screen that says this, whatever it hears, and hangs up."""
    end = MemoryEnd()
    for part in said:
        end.incoming.put_nowait(part)
    end.incoming.put_nowait(b"")
    return end, Buffered(end)


def heard(end: MemoryEnd) -> list[bytes]:
    found: list[bytes] = []
    while not end.sent.empty():
        found.append(end.sent.get_nowait())
    return found


CHALLENGE = bytes(range(16))
ANSWER = "b866924125c8eebb9debc1db61c538e2"


def test_the_answer_to_a_challenge() -> None:
    """Worked out with OpenSSL: des-ecb, the key's bits turned round."""
    assert rfb.answer_to(CHALLENGE, "password").hex() == ANSWER
    assert rfb.answer_to(CHALLENGE, "password-that-is-longer") == rfb.answer_to(CHALLENGE, "password")
    assert rfb.answer_to(CHALLENGE, "пароль") == rfb.answer_to(CHALLENGE, "??????")


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ((b"RFB 003.008\n", b"\x01\x02", CHALLENGE, bytes(4)), [b"RFB 003.008\n", b"\x02", b"answer"]),
        ((b"RFB 003.008\n", b"\x03\x13\x01\x02", CHALLENGE, bytes(4)), [b"RFB 003.008\n", b"\x02", b"answer"]),
        ((b"RFB 003.008\n", b"\x01\x01", bytes(4)), [b"RFB 003.008\n", b"\x01"]),
        ((b"RFB 003.007\n", b"\x01\x02", CHALLENGE, bytes(4)), [b"RFB 003.007\n", b"\x02", b"answer"]),
        ((b"RFB 003.007\n", b"\x01\x01"), [b"RFB 003.007\n", b"\x01"]),
        ((b"RFB 003.003\n", b"\0\0\0\x02", CHALLENGE, bytes(4)), [b"RFB 003.003\n", b"answer"]),
        ((b"RFB 003.005\n", b"\0\0\0\x01"), [b"RFB 003.003\n"]),
        ((b"RFB 004.001\n", b"\x01\x02", CHALLENGE, bytes(4)), [b"RFB 003.008\n", b"\x02", b"answer"]),
    ],
)
async def test_every_version_lets_us_in(said: tuple[bytes, ...], answered: list[bytes]) -> None:
    end, peer = screen(b"".join(said) + b"rest")
    await rfb.sign_in(peer, "password")
    answer = rfb.answer_to(CHALLENGE, "password")
    assert heard(end) == [answer if part == b"answer" else part for part in answered]
    assert await peer.receive() == b"rest"


async def test_without_a_password_none_is_used() -> None:
    end, peer = screen(b"RFB 003.008\n\x02\x02\x01", bytes(4))
    await rfb.sign_in(peer, "")
    assert heard(end) == [b"RFB 003.008\n", b"\x01"]


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"RFB xxx.yyy\n",
        b"RFB 003.008\n\x01\x13",
        b"RFB 003.008\n\x00\0\0\0\x04nope",
        b"RFB 003.003\n\0\0\0\0\0\0\0\x04nope",
        b"RFB 003.008\n\xff" + b"\x13" * 255,
    ],
)
async def test_what_is_no_screen_of_ours(said: bytes) -> None:
    _, peer = screen(said)
    with pytest.raises(rfb.NotAScreen):
        await rfb.sign_in(peer, "password")


@pytest.mark.parametrize("said", [b"", b"RFB ", b"RFB 003.008\n", b"RFB 003.008\n\x01\x02", b"RFB 003.008\n\x01\x01\0"])
async def test_a_screen_that_hangs_up(said: bytes) -> None:
    end = MemoryEnd()
    for part in (said, b"") if said else (b"",):
        end.incoming.put_nowait(part)
    with pytest.raises(ConnectionResetError):
        await rfb.sign_in(Buffered(end), "password")


async def test_a_password_that_is_refused() -> None:
    _, peer = screen(b"RFB 003.008\n\x01\x02", CHALLENGE, b"\0\0\0\x01\0\0\0\x04nope")
    with pytest.raises(rfb.PasswordRefused):
        await rfb.sign_in(peer, "password")


async def test_a_client_is_let_in_without_a_password() -> None:
    end, peer = screen(b"RFB 003.008\n", b"\x01", b"\x01more")
    await rfb.let_in(peer)
    assert heard(end) == [b"RFB 003.008\n", b"\x01\x01", bytes(4)]
    assert await peer.receive() == b"\x01more"


@pytest.mark.parametrize("said", [b"RFB 003.003\n", b"GET / HTTP/1.1\r\n", b"RFB 003.008\n\x02"])
async def test_a_client_that_speaks_something_else(said: bytes) -> None:
    _, peer = screen(said)
    with pytest.raises(rfb.NotAScreen):
        await asyncio.wait_for(rfb.let_in(peer), 5)


def test_what_a_person_does_is_input() -> None:
    assert [kind for kind in range(256) if rfb.is_input(bytes([kind, 0]))] == [4, 5, 6, 255]
