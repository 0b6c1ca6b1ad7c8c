"""Rules of identity as pure functions."""

from __future__ import annotations

from typing import Final

from hostwright.core.errors import FieldProblem
from hostwright.identity.records import MemberRole, Role

USER_SCOPES: Final = frozenset(
    {
        "read:user",
        "read:servers",
        "write:servers",
        "read:gameservers",
        "write:gameservers",
        "read:dns",
        "write:dns",
        "read:billing",
        "write:billing",
        "read:tickets",
        "write:tickets",
    }
)
STAFF_SCOPES: Final = USER_SCOPES | {"admin:users", "admin:billing", "admin:system"}
COMMON_PASSWORDS: Final = frozenset(
    "password password1 password123 12345678 123456789 1234567890 qwertyui qwerty123 qwertyuiop 11111111 00000000 "
    "iloveyou sunshine princess football baseball welcome1 letmein1 trustno1 superman abcd1234 abc12345 1q2w3e4r "
    "passw0rd p@ssw0rd changeme administrator hostwright".split()
)


def allowed_scopes(role: Role) -> frozenset[str]:
    """The scopes that a key of such a user may carry."""
    return STAFF_SCOPES if role is Role.ADMIN else USER_SCOPES


def password_problem(password: str, *, username: str, email: str) -> FieldProblem | None:
    """Why this password is too easy to guess, or None. Length is checked by the schema."""
    lowered = password.casefold()
    if lowered in COMMON_PASSWORDS or len(set(password)) < 4:  # noqa: PLR2004  "aaaaaaab" is no password
        return FieldProblem("password", "is too easy to guess")
    if lowered in (username.casefold(), email.casefold(), email.partition("@")[0].casefold()):
        return FieldProblem("password", "must differ from your name and address")
    return None


def may_operate(role: MemberRole) -> bool:
    """Whether a member may switch servers and reset passwords."""
    return role in (MemberRole.OWNER, MemberRole.TECHNICAL)
