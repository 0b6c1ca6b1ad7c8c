"""Who calls: a session's cookie or an API key."""

from hostwright.identity.access.callers import (
    KEY_LIMIT,
    SECONDS_PER_CALL,
    TOUCH_AFTER,
    Caller,
    CustomerRequired,
    KeyNotAllowed,
    client_of,
    identity_dependencies,
)
from hostwright.identity.access.csrf import (
    CSRF,
    SAFE,
    CsrfFailed,
    check_origin,
    csrf_cookie,
    csrf_token,
    session_cookie,
    socket_token,
)

__all__ = [
    "CSRF",
    "KEY_LIMIT",
    "SAFE",
    "SECONDS_PER_CALL",
    "TOUCH_AFTER",
    "Caller",
    "CsrfFailed",
    "CustomerRequired",
    "KeyNotAllowed",
    "check_origin",
    "client_of",
    "csrf_cookie",
    "csrf_token",
    "identity_dependencies",
    "session_cookie",
    "socket_token",
]
