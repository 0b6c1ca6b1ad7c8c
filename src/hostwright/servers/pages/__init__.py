"""Pages of servers."""

from typing import Any, Final

from hostwright.servers.pages.addresses import AddressFiles, AddressPages
from hostwright.servers.pages.connections_admin import ConnectionPages
from hostwright.servers.pages.console import ConsolePages
from hostwright.servers.pages.export import ExportPages
from hostwright.servers.pages.hypervisors import HypervisorPages
from hostwright.servers.pages.live import ServerLive, ServersShell
from hostwright.servers.pages.notes import NotePages
from hostwright.servers.pages.owners import OwnerPages
from hostwright.servers.pages.routes import ServerPages
from hostwright.servers.pages.ssh_keys import SshKeyPages
from hostwright.servers.pages.usage import UsagePages

HANDLERS: Final[list[Any]] = [
    ServerPages,
    ConsolePages,
    ExportPages,
    NotePages,
    SshKeyPages,
    UsagePages,
    ConnectionPages,
    HypervisorPages,
    AddressPages,
    AddressFiles,
    OwnerPages,
]
"""Every page."""

__all__ = ["HANDLERS", "ServerLive", "ServersShell"]
