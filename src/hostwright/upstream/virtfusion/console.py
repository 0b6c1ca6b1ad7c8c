"""Screens at VirtFusion: whether there is one, where it is, and the way to it.

Newer versions relay screens through the control server (``wss``, with a token that each POST renews); older ones only
name an address, a port and a password on the hypervisor. Three ways to enable one are told of: a POST that toggles,
``vnc`` and ``action``. Both words are sent together, and what is read before and after says how it stands.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import ClientError

from hostwright.core import rfb
from hostwright.core.http.addresses import ForbiddenAddress, Reach
from hostwright.core.http.streams import LARGEST_PORT, open_tcp, open_websocket
from hostwright.core.providers import ConsoleState, ConsoleTarget, Gone, Refused, Transient
from hostwright.core.relay import Buffered, End
from hostwright.upstream.virtfusion.client import VirtFusionClient
from hostwright.upstream.virtfusion.transport import API, decoder, json
from hostwright.upstream.virtfusion.types import Absent, Data

SIGN_IN_SECONDS: Final = 10.0
LONGEST_PATH: Final = 1000
LONGEST_PASSWORD: Final = 255
HOST: Final = re.compile(r"[0-9A-Za-z.:-]{1,253}")
PATH: Final = re.compile(r"/(?!/)[\x21-\x5b\x5d-\x7e]*")  # of this host: no second slash, no backslash, nothing odd
ELSEWHERE: Final = "VirtFusion names a place for this screen where no screen can be."
AWAY: Final = "The server's screen does not answer."
NOT_ALLOWED: Final = "The server's screen stands at an address that this connection may not reach."
NO_SCREEN: Final = "What answers in the place of the server's screen is no screen."
NOT_LET_IN: Final = "The server's screen does not take the password that VirtFusion names."


class Wss(msgspec.Struct, frozen=True):
    """A relay at the control server; ``url`` is a path there, with a token."""

    url: str | None = None


class Vnc(msgspec.Struct, frozen=True):
    """``enabled`` is not to be relied on."""

    ip: str | None = None
    hostname: str | None = None
    port: int | None = None
    password: str | None = None
    wss: Wss | Absent = None
    enabled: bool | None = None


class VncAnswer(msgspec.Struct, frozen=True):
    vnc: Vnc | Absent = None


_vnc = decoder(Data[VncAnswer])
_ON: Final = json(vnc=True, action="enable")
_OFF: Final = json(vnc=False, action="disable")


def target_of(vnc: Vnc, base: str) -> ConsoleTarget | None:
    """Where a screen is; None when it is not said, `Refused` for a place that cannot be one."""
    password = (vnc.password or "")[:LONGEST_PASSWORD]
    if isinstance(vnc.wss, Wss) and vnc.wss.url:
        return ConsoleTarget(url=_within(base, vnc.wss.url), password=password)
    address = vnc.ip or vnc.hostname
    if not address or vnc.port is None:
        return None
    if not HOST.fullmatch(address) or not 0 < vnc.port <= LARGEST_PORT:
        raise Refused(ELSEWHERE)
    return ConsoleTarget(address=address, port=vnc.port, password=password)


def _within(base: str, path: str) -> str:
    """A path of the control server as a WebSocket's address; anything that leads elsewhere is refused."""
    if len(path) > LONGEST_PATH or not PATH.fullmatch(path) or "/../" in path:
        raise Refused(ELSEWHERE)
    root = base.removesuffix(API)
    found = ("ws" + root.removeprefix("http") if root.startswith("http") else root) + path
    if urlsplit(found).netloc != urlsplit(base).netloc:
        raise Refused(ELSEWHERE)
    return found


class ConsoleAccess:
    """What `servers.ports.ComputeProvider` says about consoles."""

    client: VirtFusionClient
    allow_private_targets: bool = False

    async def console(self, external_id: int) -> ConsoleState:
        """Whether a server has a screen and where; reads only. Old versions cannot be asked: nothing is known then."""
        try:
            answer = await self.client.read("console", f"/servers/{external_id}/vnc", _vnc)
        except Gone:
            await self.client.server(external_id, remote_state=False)  # raises when it is the server that is not there
            return ConsoleState(enabled=None, target=None)
        return self._state(answer)

    async def open_console(self, external_id: int) -> ConsoleTarget:
        """Enable a server's screen and say where it is, with a token that is good for one viewing."""
        state = self._state(await self.client.write("open_console", f"/servers/{external_id}/vnc", _vnc, _ON))
        if state.target is None:
            raise Refused("VirtFusion does not say where the server's screen is.")
        return state.target

    async def close_console(self, external_id: int) -> None:
        """Disable a server's screen."""
        await self.client.write("close_console", f"/servers/{external_id}/vnc", _vnc, _OFF)

    async def reach_console(self, target: ConsoleTarget) -> End:
        """The screen itself, past its password. `Transient` when it does not answer, `Refused` when it may not be."""
        reach, settings = self.client.settings.reach, self.client.settings
        if target.url:
            end = await _opened(lambda: open_websocket(target.url, reach, verify_tls=settings.verify_tls))
        else:
            private = self.allow_private_targets or reach is Reach.ANYWHERE
            end = await _opened(lambda: open_tcp(target.address, target.port, reach, private=private))
        screen = Buffered(end)
        try:
            async with asyncio.timeout(SIGN_IN_SECONDS):
                await rfb.sign_in(screen, target.password)
        except BaseException as error:
            await end.close()
            match error:
                case rfb.NotAScreen():
                    raise Refused(NO_SCREEN) from error
                case rfb.PasswordRefused():
                    raise Refused(NOT_LET_IN) from error
                case OSError() | TimeoutError():
                    raise Transient(AWAY) from error
                case _:
                    raise
        return screen

    def _state(self, answer: Data[VncAnswer]) -> ConsoleState:
        vnc = answer.data.vnc
        if not isinstance(vnc, Vnc):
            return ConsoleState(enabled=None, target=None)
        return ConsoleState(vnc.enabled, target_of(vnc, self.client.base_url))


async def _opened[E: End](connect: Callable[[], Awaitable[E]]) -> E:
    try:
        return await connect()
    except ForbiddenAddress as error:
        raise Refused(NOT_ALLOWED) from error
    except (OSError, TimeoutError, ClientError) as error:
        cause = getattr(error, "os_error", None)
        if isinstance(cause, ForbiddenAddress):
            raise Refused(NOT_ALLOWED) from error
        raise Transient(AWAY) from error
