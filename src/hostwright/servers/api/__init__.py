"""Servers over HTTP."""

from typing import Any, Final

from hostwright.servers.api.addresses import AddressesApi
from hostwright.servers.api.admin import AdminServersApi
from hostwright.servers.api.bulk import AdminBulkApi, BulkApi
from hostwright.servers.api.connections_admin import ConnectionsApi, ConnectionTestsApi
from hostwright.servers.api.console import AdminConsoleApi, ConsoleApi
from hostwright.servers.api.console_socket import console_route
from hostwright.servers.api.export import KeyServersApi
from hostwright.servers.api.hypervisors import HypervisorsApi
from hostwright.servers.api.install import AdminInstallApi, InstallApi
from hostwright.servers.api.notes import AdminNotesApi, NotesApi
from hostwright.servers.api.operations import AdminOperationsApi
from hostwright.servers.api.ssh_keys import AdminSshKeysApi, SshKeysApi
from hostwright.servers.api.usage import AdminUsageApi, UsageApi
from hostwright.servers.api.user import ServersApi

HANDLERS: Final[list[Any]] = [
    ServersApi,
    AdminServersApi,
    KeyServersApi,
    NotesApi,
    AdminNotesApi,
    SshKeysApi,
    AdminSshKeysApi,
    UsageApi,
    AdminUsageApi,
    BulkApi,
    AdminBulkApi,
    InstallApi,
    AdminInstallApi,
    AdminOperationsApi,
    ConsoleApi,
    AdminConsoleApi,
    ConnectionsApi,
    ConnectionTestsApi,
    HypervisorsApi,
    AddressesApi,
]
"""Every operation, in the order of the API's document."""

__all__ = ["HANDLERS", "AdminServersApi", "ServersApi", "console_route"]
