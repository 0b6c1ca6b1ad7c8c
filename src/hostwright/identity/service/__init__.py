"""Accounts, sign-in, sessions and keys: every decision and every write."""

from hostwright.identity.service.accounts import (
    ACCOUNTS,
    PER_ACCOUNT,
    TOO_MANY_ACCOUNTS,
    create_user,
    register,
    set_disabled,
)
from hostwright.identity.service.attempts import LONGEST_WAIT
from hostwright.identity.service.common import AccountDisabled, Client, WrongCredentials, idle_time
from hostwright.identity.service.keys import (
    KEY_PREFIX,
    MOST_KEYS,
    SHOWN_PREFIX,
    NewKey,
    TooManyKeys,
    create_api_key,
    drop_key,
    make_key,
)
from hostwright.identity.service.sessions import (
    NewSession,
    end_session,
    forget_ended,
    open_session,
    revoke_other_sessions,
    revoke_session,
)
from hostwright.identity.service.sign_in import FREE_TRIES_PER_ACCOUNT, FREE_TRIES_PER_ADDRESS, sign_in

__all__ = [
    "ACCOUNTS",
    "FREE_TRIES_PER_ACCOUNT",
    "FREE_TRIES_PER_ADDRESS",
    "KEY_PREFIX",
    "LONGEST_WAIT",
    "MOST_KEYS",
    "PER_ACCOUNT",
    "SHOWN_PREFIX",
    "TOO_MANY_ACCOUNTS",
    "AccountDisabled",
    "Client",
    "NewKey",
    "NewSession",
    "TooManyKeys",
    "WrongCredentials",
    "create_api_key",
    "create_user",
    "drop_key",
    "end_session",
    "forget_ended",
    "idle_time",
    "make_key",
    "open_session",
    "register",
    "revoke_other_sessions",
    "revoke_session",
    "set_disabled",
    "sign_in",
]
