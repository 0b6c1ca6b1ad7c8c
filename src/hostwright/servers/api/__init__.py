"""Servers over HTTP."""

from hostwright.servers.api.admin import AdminServersApi
from hostwright.servers.api.bulk import AdminBulkApi, BulkApi
from hostwright.servers.api.console import AdminConsoleApi, ConsoleApi
from hostwright.servers.api.console_socket import console_route
from hostwright.servers.api.export import KeyServersApi
from hostwright.servers.api.install import AdminInstallApi, InstallApi
from hostwright.servers.api.notes import AdminNotesApi, NotesApi
from hostwright.servers.api.operations import AdminOperationsApi
from hostwright.servers.api.ssh_keys import AdminSshKeysApi, SshKeysApi
from hostwright.servers.api.usage import AdminUsageApi, UsageApi
from hostwright.servers.api.user import ServersApi

__all__ = [
    "AdminBulkApi",
    "AdminConsoleApi",
    "AdminInstallApi",
    "AdminNotesApi",
    "AdminOperationsApi",
    "AdminServersApi",
    "AdminSshKeysApi",
    "AdminUsageApi",
    "BulkApi",
    "ConsoleApi",
    "InstallApi",
    "KeyServersApi",
    "NotesApi",
    "ServersApi",
    "SshKeysApi",
    "UsageApi",
    "console_route",
]
