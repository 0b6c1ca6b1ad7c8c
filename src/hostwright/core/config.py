"""Configuration: one frozen struct, read from the environment once. Nothing else reads `os.environ`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec


class ConfigError(Exception):
    """The environment cannot be used; the message is one clear line that names the variable."""


class Environment(StrEnum):
    """What this installation is for. Only production is strict about HTTPS."""

    PRODUCTION = "production"
    DEMO = "demo"
    DEVELOPMENT = "development"
    TEST = "test"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the environment decides."""

    database_url: str = ""
    database_admin_url: str = ""
    keys: str | None = None
    keys_file: Path | None = None
    environment: Environment = Environment.PRODUCTION
    public_url: str = "http://127.0.0.1:8000"
    company_name: str | None = None
    brand_colour: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    session_idle_hours: int = 8
    session_days: int = 30
    sentry_dsn: str | None = None
    log_format: str = "json"
    log_level: str = "info"
    pool_size: int = 10
    worker_concurrency: int = 10
    data_dir: Path | None = None
    allow_local_upstreams: bool = False
    console_idle_seconds: int = 1800
    consoles_per_user: int = 5
    shutdown_delay: int = 0

    @property
    def secure_cookies(self) -> bool:
        """Whether people reach us over HTTPS, so that cookies carry ``Secure`` and the ``__Host-`` prefix."""
        return self.public_url.startswith("https://")

    @property
    def shows_styleguide(self) -> bool:
        """The style page is for us, not for customers."""
        return self.environment is not Environment.PRODUCTION

    def __repr__(self) -> str:
        """Without secrets: connection strings and keys stay out of logs and tracebacks."""
        return f"Config(environment={self.environment!s}, public_url={self.public_url!r})"


COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
ORIGIN: Final = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?")
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def _number(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        message = f"{name} must be a whole number from {low} to {high}, not {text!r}"
        raise ConfigError(message)
    return int(text)


def _words(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in environ.get(name, "").split(",") if word.strip())


def _origins(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Not ``null``: every sandboxed frame sends that."""
    found = _words(environ, name)
    for word in found:
        if not ORIGIN.fullmatch(word):
            message = f"{name} must hold origins like https://www.example.com, not {word!r}"
            raise ConfigError(message)
    return found


def _public_url(environ: Mapping[str, str], *, production: bool) -> str:
    found = (environ.get("PUBLIC_URL", "").strip() or "http://127.0.0.1:8000").rstrip("/")
    if not ORIGIN.fullmatch(found):
        message = "PUBLIC_URL must look like https://panel.example.com"
        raise ConfigError(message)
    host = urlsplit(found).hostname or ""
    if production and found.startswith("http://") and host not in LOOPBACK:
        message = "PUBLIC_URL must start with https:// in production: sessions would travel in the clear"
        raise ConfigError(message)
    return found


def _networks(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = _words(environ, name)
    for word in found:
        try:
            ip_network(word, strict=False)
        except ValueError:
            message = f"{name} must hold addresses or networks like 10.0.0.0/8, not {word!r}"
            raise ConfigError(message) from None
    return found


def _choice(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = environ.get(name, "").strip().lower() or default
    if value not in allowed:
        message = f"{name} must be one of {', '.join(allowed)}, not {value!r}"
        raise ConfigError(message)
    return value


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name, "").strip()
    return Path(text) if text else None


def load_config(environ: Mapping[str, str]) -> Config:
    """Read the environment; raises `ConfigError` with one clear line for a value that cannot be used."""
    brand = environ.get("BRAND_COLOUR", "").strip().lower() or None
    if brand is not None and not COLOUR.fullmatch(brand):
        message = f"BRAND_COLOUR must look like #4f46e5, not {brand!r}"
        raise ConfigError(message)
    environment = Environment(
        _choice(environ, "HOSTWRIGHT_ENVIRONMENT", "production", tuple(e.value for e in Environment))
    )
    return Config(
        database_url=environ.get("DATABASE_URL", "").strip(),
        database_admin_url=environ.get("DATABASE_ADMIN_URL", "").strip(),
        keys=environ.get("HOSTWRIGHT_KEYS", "").strip() or None,
        keys_file=_path(environ, "HOSTWRIGHT_KEYS_FILE"),
        environment=environment,
        public_url=_public_url(environ, production=environment is Environment.PRODUCTION),
        company_name=environ.get("COMPANY_NAME", "").strip() or None,
        brand_colour=brand,
        trusted_proxies=_networks(environ, "TRUSTED_PROXIES"),
        allowed_origins=_origins(environ, "ALLOWED_ORIGINS"),
        session_idle_hours=_number(environ, "SESSION_IDLE_HOURS", 8, low=1, high=24 * 30),
        session_days=_number(environ, "SESSION_DAYS", 30, low=1, high=365),
        sentry_dsn=environ.get("SENTRY_DSN", "").strip() or None,
        log_format=_choice(environ, "LOG_FORMAT", "json", ("json", "console")),
        log_level=_choice(environ, "LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
        pool_size=_number(environ, "DATABASE_POOL_SIZE", 10, low=2, high=200),
        worker_concurrency=_number(environ, "WORKER_CONCURRENCY", 10, low=1, high=200),
        data_dir=_path(environ, "HOSTWRIGHT_DATA"),
        console_idle_seconds=_number(environ, "CONSOLE_IDLE_SECONDS", 1800, low=10, high=86_400),
        consoles_per_user=_number(environ, "CONSOLES_PER_USER", 5, low=1, high=100),
        allow_local_upstreams=_choice(environ, "ALLOW_LOCAL_UPSTREAMS", "no", ("yes", "no")) == "yes",
        shutdown_delay=_number(environ, "SHUTDOWN_DELAY_SECONDS", 0, low=0, high=300),
    )
