"""Servers over HTTP."""

from hostwright.servers.api.admin import AdminServersApi
from hostwright.servers.api.user import ServersApi

__all__ = ["AdminServersApi", "ServersApi"]
