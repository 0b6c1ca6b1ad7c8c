"""Pages of servers."""

from hostwright.servers.pages.live import ServerLive, ServersShell
from hostwright.servers.pages.routes import ServerPages

__all__ = ["ServerLive", "ServerPages", "ServersShell"]
