"""Every decision and every write of the servers feature."""

from hostwright.servers.service.actions import give_up_on, perform_action
from hostwright.servers.service.common import (
    DATABASE_ERRORS,
    Actor,
    AnswerLost,
    UpstreamAway,
    UpstreamRefused,
    actor_of,
)
from hostwright.servers.service.connections import (
    add_connection,
    confirm_pruning,
    link_account,
)
from hostwright.servers.service.connections_admin import begin_reading
from hostwright.servers.service.details import DetailsOutcome, refresh_details
from hostwright.servers.service.mirror import MirrorOutcome, run_mirror
from hostwright.servers.service.password import (
    begin_reset,
    finish_reset,
    reset_password,
)
from hostwright.servers.service.power import request_power
from hostwright.servers.service.traffic import read_traffic
from hostwright.servers.service.viewed import note_viewed
from hostwright.servers.service.watch import sweep_actions, watch_action

__all__ = [
    "DATABASE_ERRORS",
    "Actor",
    "AnswerLost",
    "DetailsOutcome",
    "MirrorOutcome",
    "UpstreamAway",
    "UpstreamRefused",
    "actor_of",
    "add_connection",
    "begin_reading",
    "begin_reset",
    "confirm_pruning",
    "finish_reset",
    "give_up_on",
    "link_account",
    "note_viewed",
    "perform_action",
    "read_traffic",
    "refresh_details",
    "request_power",
    "reset_password",
    "run_mirror",
    "sweep_actions",
    "watch_action",
]
