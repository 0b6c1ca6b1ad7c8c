"""Reading a database's address, as far as commands need it."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

from hostwright.cli.problems import Problem


def _option(dsn: str, name: str) -> str | None:
    values = parse_qs(urlsplit(dsn).query).get(name)
    return values[0] if values else None


def user_of(dsn: str) -> str | None:
    """The role that connects."""
    found = urlsplit(dsn).username
    return unquote(found) if found else _option(dsn, "user")


def password_of(dsn: str) -> str | None:
    """The role's password, None when there is none."""
    found = urlsplit(dsn).password
    return unquote(found) if found else _option(dsn, "password")


def database_of(dsn: str) -> str:
    """The database's name; raises `Problem` when the address names none: no command guesses which one to change."""
    name = unquote(urlsplit(dsn).path.lstrip("/")) or _option(dsn, "database") or _option(dsn, "dbname")
    if not name:
        message = "The database's address names no database. It looks like postgresql://USER:PASSWORD@HOST/DATABASE"
        raise Problem(message)
    return name


def with_database(dsn: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(dsn)._replace(path="/" + quote(name, safe="")))
