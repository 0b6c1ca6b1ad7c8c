"""Pages of servers."""

from hostwright.servers.pages.console import ConsolePages
from hostwright.servers.pages.export import ExportPages
from hostwright.servers.pages.live import ServerLive, ServersShell
from hostwright.servers.pages.notes import NotePages
from hostwright.servers.pages.routes import ServerPages
from hostwright.servers.pages.ssh_keys import SshKeyPages
from hostwright.servers.pages.usage import UsagePages

__all__ = [
    "ConsolePages",
    "ExportPages",
    "NotePages",
    "ServerLive",
    "ServerPages",
    "ServersShell",
    "SshKeyPages",
    "UsagePages",
]
