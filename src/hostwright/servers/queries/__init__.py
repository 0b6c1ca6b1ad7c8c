"""What can be read of servers, and the statements that the service writes with."""

from hostwright.servers.queries.actions import (
    action_for,
    latest_action,
    pending_action,
    pending_actions,
    pending_for,
)
from hostwright.servers.queries.connections import connections_overview
from hostwright.servers.queries.lists import (
    Listed,
    ServerFilter,
    list_admin_reads,
    list_counts,
    list_reads,
    list_rows,
    palette,
)
from hostwright.servers.queries.one import (
    LogFilter,
    activity,
    addresses_of,
    admin_read,
    locked_server,
    own_read,
    server_for,
    target_of,
    touch_viewed,
)

__all__ = [
    "Listed",
    "LogFilter",
    "ServerFilter",
    "action_for",
    "activity",
    "addresses_of",
    "admin_read",
    "connections_overview",
    "latest_action",
    "list_admin_reads",
    "list_counts",
    "list_reads",
    "list_rows",
    "locked_server",
    "own_read",
    "palette",
    "pending_action",
    "pending_actions",
    "pending_for",
    "server_for",
    "target_of",
    "touch_viewed",
]
