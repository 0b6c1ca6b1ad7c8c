"""VirtFusion's API, call by call: everything about servers. The rest is in `estate`."""

from __future__ import annotations

from typing import Final

from hostwright.core.http import Method
from hostwright.upstream.virtfusion.estate import EstateCalls
from hostwright.upstream.virtfusion.estate_types import OwnedServer
from hostwright.upstream.virtfusion.transport import PAGE_SIZE, decoder, json, nothing, whole_list
from hostwright.upstream.virtfusion.types import (
    Absent,
    Build,
    Data,
    Package,
    Page,
    PasswordReset,
    Queued,
    QueueItem,
    Sampled,
    ServerLine,
    TemplateGroup,
    Traffic,
    VirtualServer,
)

# Without it the vendor only notes the figure and the machine goes on as before.
AT_ONCE: Final = {"sync": "true"}
REMOTE: Final = {"remoteState": "true"}  # asks the hypervisor, which is slow

_page = decoder(Page[ServerLine])
_server = decoder(Data[VirtualServer])
_raw = decoder(Data[dict[str, object]])
_sampled = decoder(Data[Sampled])
_owned = decoder(Data[OwnedServer])
_build = decoder(Build)
_queued = decoder(Data[Queued])
_queue_item = decoder(Data[QueueItem])
_reset = decoder(Data[PasswordReset])
_traffic = decoder(Data[Traffic | Absent])
_templates = decoder(Data[list[TemplateGroup]])
_packages = decoder(Data[list[Package]])


class VirtFusionClient(EstateCalls):
    """VirtFusion's global API, as far as we use it.

    Source: docs.virtfusion.com/api (read 2026-11-20). Units as on the wire: memory MB, storage GB, traffic limit GB
    (0 is unmetered), traffic counters bytes. Every call raises one of the four provider errors.
    """

    async def connect(self) -> None:
        """Whether the token is accepted at all."""
        await self.read("connect", "/connect", nothing, of_one=False)

    async def page(self, number: int, *, size: int = PAGE_SIZE) -> Page[ServerLine]:
        """One page of all servers."""
        return await self.page_of("list_servers", "/servers", _page, number, size=size)

    async def servers(self) -> tuple[list[ServerLine], int]:
        """All servers, and how many calls that took. Complete, or it raises."""
        return await whole_list(self.page, lambda line: line.id, "servers")

    async def server(self, server_id: int, *, remote_state: bool) -> VirtualServer:
        """One server; ``remote_state`` asks its hypervisor, which is slow. `Gone` on 404."""
        query = REMOTE if remote_state else {}
        return (await self.read("server", f"/servers/{server_id}", _server, query=query)).data

    async def sampled(self, server_id: int) -> Sampled:
        """What a server's machine does, as its hypervisor tells it. `Gone` on 404."""
        return (await self.read("sample", f"/servers/{server_id}", _sampled, query=REMOTE)).data

    async def raw(self, server_id: int) -> dict[str, object]:
        """One server with everything that the vendor tells, secrets included. `Gone` on 404."""
        return (await self.read("server_raw", f"/servers/{server_id}", _raw, query=REMOTE)).data

    async def owned(self, server_id: int) -> OwnedServer:
        """Who has a server. `Gone` on 404."""
        return (await self.read("owner", f"/servers/{server_id}", _owned)).data

    async def power(self, server_id: int, action: str) -> Queued:
        """Ask for ``boot``, ``shutdown``, ``restart`` or ``poweroff``."""
        return (await self.write(f"power_{action}", f"/servers/{server_id}/power/{action}", _queued)).data

    async def queue_item(self, queue_id: int) -> QueueItem:
        """How far queued work is; `Gone` when the queue does not know it."""
        return (await self.read("queue", f"/queue/{queue_id}", _queue_item)).data

    async def reset_password(self, server_id: int, user: str) -> PasswordReset:
        """Set a new password for ``root`` or ``Administrator``. The vendor sends no mail about it."""
        body = json(user=user, sendMail=False)
        return (await self.write("reset_password", f"/servers/{server_id}/resetPassword", _reset, body)).data

    async def traffic(self, server_id: int) -> Traffic:
        """Traffic by period."""
        found = (await self.read("traffic", f"/servers/{server_id}/traffic", _traffic)).data
        return found if isinstance(found, Traffic) else Traffic()

    async def templates(self, server_id: int) -> list[TemplateGroup]:
        """Systems that can be installed on a server."""
        return (await self.read("templates", f"/servers/{server_id}/templates", _templates)).data

    async def packages(self) -> list[Package]:
        """All packages; not paged."""
        return (await self.read("packages", "/packages", _packages, of_one=False)).data

    async def build(
        self, server_id: int, template_id: int, *, name: str, hostname: str | None, ssh_keys: tuple[int, ...]
    ) -> Build:
        """Install a system, on whatever the disk holds. The vendor sends no mail about it.

        A field that says nothing is left out: for what is not said the vendor keeps its own choice.
        """
        said = {"name": name, "hostname": hostname, "sshKeys": ssh_keys}
        body = json(operatingSystemId=template_id, email=False, **{key: value for key, value in said.items() if value})
        return await self.write("build", f"/servers/{server_id}/build", _build, body)

    async def suspend(self, server_id: int) -> None:
        """Stop a server and keep it stopped."""
        await self.write("suspend", f"/servers/{server_id}/suspend", nothing)

    async def unsuspend(self, server_id: int) -> None:
        """Let a suspended server be started."""
        await self.write("unsuspend", f"/servers/{server_id}/unsuspend", nothing)

    async def rename(self, server_id: int, name: str) -> None:
        """Give a server another name, which is not its host name."""
        path = f"/servers/{server_id}/modify/name"
        await self.write("rename", path, nothing, json(name=name), method=Method.PUT)

    async def throttle(self, server_id: int, percent: int) -> None:
        """Take 0 to 99 per cent of a server's processor time away, at once."""
        path = f"/servers/{server_id}/modify/cpuThrottle"
        await self.write("throttle_cpu", path, nothing, json(percent=percent), method=Method.PUT, query=AT_ONCE)

    async def change_owner(self, server_id: int, user_id: int) -> None:
        """Give a server to another user."""
        await self.write("change_owner", f"/servers/{server_id}/owner/{user_id}", nothing, method=Method.PUT)
