"""Live updates of servers, and their lines in the sidebar."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Request
from markupsafe import Markup

from hostwright.core.db import Db
from hostwright.core.errors import NotFound
from hostwright.core.providers import ServerState
from hostwright.core.scope import OwnedBy, Staff
from hostwright.identity.schemas import MANAGE_SERVERS, Viewer
from hostwright.servers import queries
from hostwright.servers.pages.screens import ALL, OWN, changed, state_of, state_partials
from hostwright.servers.views.detail import PENDING
from hostwright.web.i18n import choose_language, gettext
from hostwright.web.render import renderer
from hostwright.web.shell import NavGroup, NavItem

type AnyRequest = Request[Any, Any, Any]


class ServerLive:
    """Turns ``server:{id}`` into updates of the places that show it."""

    name = "server"

    async def partials(self, request: AnyRequest, db: Db, viewer: Viewer, object_id: int) -> str:
        """State, buttons and progress; staff get them for the staff's pages too. Empty when it is not theirs."""
        choose_language(request, pseudo=renderer().pseudo)
        scope = Staff(MANAGE_SERVERS) if viewer.is_staff else viewer.scope
        action = await queries.latest_action(db, scope, object_id)
        found: list[Markup] = []
        try:
            row = await queries.server_for(db, scope, object_id)
        except NotFound:
            return ""
        if viewer.is_staff:
            found += state_partials(request, state_of(ALL, row, action))
        if row.customer_id == viewer.customer_id:
            leave_out = f"state-{object_id}" if viewer.is_staff else None
            found += state_partials(request, state_of(OWN, row, action), leave_out=leave_out)
        if found and (action is None or action.state not in PENDING):
            found.append(changed(object_id))
        return "".join(found)


class ServersShell:
    """The sidebar's lines for servers."""

    def groups(self, viewer: Viewer, counts: Mapping[str, int]) -> Sequence[NavGroup]:
        """Services for everybody, administration for staff."""
        servers = NavItem(icon="server", label=gettext("Servers"), url="/servers", count=counts.get("servers"))
        keys = NavItem(icon="key-round", label=gettext("SSH keys"), url="/servers/keys")
        own = NavGroup(gettext("Services"), (servers, keys))
        if not viewer.is_staff:
            return [own]
        everything = NavItem(icon="layers", label=gettext("All servers"), url="/admin/servers")
        owners = NavItem(icon="users", label=gettext("Owners"), url="/admin/owners")
        hypervisors = NavItem(icon="cpu", label=gettext("Hypervisors"), url="/admin/hypervisors")
        addresses = NavItem(icon="history", label=gettext("Address history"), url="/admin/addresses")
        connections = NavItem(icon="plug", label=gettext("Connections"), url="/admin/connections")
        lines = (everything, owners, hypervisors, addresses, connections)
        return [own, NavGroup(gettext("Administration"), lines)]

    async def counts(self, db: Db, viewer: Viewer) -> Mapping[str, int]:
        """How many servers the viewer's customer has."""
        found = await queries.list_counts(db, queries.ServerFilter(OwnedBy(viewer.customer_id)))
        return {"servers": sum(count.n for count in found if count.state is not ServerState.GONE)}
