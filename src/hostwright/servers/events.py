"""Jobs of the servers feature: names and payloads. `jobs` binds them to functions."""

from __future__ import annotations

from typing import Final

import msgspec

from hostwright.core.jobs import Job


class ActionRef(msgspec.Struct, frozen=True):
    """An action to carry out."""

    action_id: int


class WatchRef(msgspec.Struct, frozen=True):
    """An action to look after; ``turn`` counts how often that was done."""

    action_id: int
    turn: int


class ConnectionRef(msgspec.Struct, frozen=True):
    """An attached control system."""

    connection_id: int


class ServerRef(msgspec.Struct, frozen=True):
    """A server."""

    server_id: int


class Tick(msgspec.Struct, frozen=True):
    """A schedule fired."""


PERFORM_ACTION: Final = Job("servers.perform_action", ActionRef)
WATCH_ACTION: Final = Job("servers.watch_action", WatchRef)
SWEEP_ACTIONS: Final = Job("servers.sweep_actions", Tick)
MIRROR_ALL: Final = Job("servers.mirror_all", Tick)
MIRROR: Final = Job("servers.mirror", ConnectionRef)
DETAILS_ALL: Final = Job("servers.details_all", Tick)
DETAILS: Final = Job("servers.details", ConnectionRef)
SAMPLE: Final = Job("servers.sample", ServerRef)
TIDY_SAMPLES: Final = Job("servers.tidy_samples", Tick)
HYPERVISORS_ALL: Final = Job("servers.hypervisors_all", Tick)
HYPERVISORS: Final = Job("servers.hypervisors", ConnectionRef)
