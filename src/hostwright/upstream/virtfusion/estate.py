"""VirtFusion's API, call by call: the machines that carry servers, and the users that have them."""

from __future__ import annotations

from hostwright.core.http import Call, Method
from hostwright.upstream.virtfusion.estate_types import HypervisorLine, HypervisorUse, KeptKey, User, UserKey
from hostwright.upstream.virtfusion.transport import PAGE_SIZE, Transport, decoder, json, nothing, whole_list
from hostwright.upstream.virtfusion.types import Data, Page

_hypervisors = decoder(Page[HypervisorLine])
_uses = decoder(Page[HypervisorUse])
_keys = decoder(Data[list[UserKey]])
_kept_key = decoder(Data[KeptKey])
_user = decoder(Data[User])


class EstateCalls(Transport):
    """The calls about hypervisors, users and their public keys."""

    async def hypervisor_page(self, number: int, *, size: int = PAGE_SIZE) -> Page[HypervisorLine]:
        """One page of all hypervisors."""
        return await self.page_of("list_hypervisors", "/compute/hypervisors", _hypervisors, number, size=size)

    async def hypervisors(self) -> list[HypervisorLine]:
        """All hypervisors. Complete, or it raises."""
        return (await whole_list(self.hypervisor_page, lambda line: line.id, "hypervisors"))[0]

    async def use_of_group(self, group_id: int) -> list[HypervisorUse]:
        """What is given away of each hypervisor of a group. Complete, or it raises; `Gone` on 404."""
        path = f"/compute/hypervisors/groups/{group_id}/resources"

        async def page(number: int) -> Page[HypervisorUse]:
            return await self.page_of("hypervisor_resources", path, _uses, number, of_one=True)

        return (await whole_list(page, lambda use: use.hypervisor.id, "hypervisors"))[0]

    async def user_keys(self, user_id: int) -> list[UserKey]:
        """The public keys of a user; not paged."""
        return (await self.read("ssh_keys", f"/ssh_keys/user/{user_id}", _keys)).data

    async def add_key(self, user_id: int, name: str, public_key: str) -> KeptKey:
        """Keep a public key for a user."""
        body = json(userId=user_id, name=name, publicKey=public_key)
        call = Call(operation="add_ssh_key", method=Method.POST, path="/ssh_keys", decode=_kept_key, body=body)
        return (await self.send(call)).data

    async def delete_key(self, key_id: int) -> None:
        """Forget a public key; `Gone` when it is not there."""
        await self.write("delete_ssh_key", f"/ssh_keys/{key_id}", nothing, method=Method.DELETE)

    async def user_by_relation(self, relation_id: int) -> User:
        """The user with an external relation; `Gone` when there is none."""
        return (await self.read("user_by_relation", f"/users/{relation_id}/byExtRelation", _user)).data
