"""The environment becomes one struct; what cannot be used is told in one line that names the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostwright.core.config import Config, ConfigError, Environment, load_config

FULL = {
    "DATABASE_URL": " postgresql://app:kV7-tulip@db/hw ",
    "DATABASE_ADMIN_URL": "postgresql://owner:kV7-tulip@db/hw",
    "HOSTWRIGHT_KEYS": "kV7-tulip",
    "HOSTWRIGHT_KEYS_FILE": "/etc/hostwright/keys",
    "HOSTWRIGHT_ENVIRONMENT": "Demo",
    "PUBLIC_URL": "https://panel.example/",
    "COMPANY_NAME": "Nordlicht Hosting",
    "BRAND_COLOUR": "#B91C1C",
    "TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7",
    "ALLOWED_ORIGINS": "https://shop.example",
    "SESSION_IDLE_HOURS": "2",
    "SESSION_DAYS": "7",
    "SENTRY_DSN": "https://kV7-tulip@sentry.example/1",
    "LOG_FORMAT": "console",
    "LOG_LEVEL": "WARNING",
    "DATABASE_POOL_SIZE": "20",
    "WORKER_CONCURRENCY": "5",
    "HOSTWRIGHT_DATA": "/var/lib/hostwright",
    "ALLOW_LOCAL_UPSTREAMS": "yes",
    "SHUTDOWN_DELAY_SECONDS": "15",
}


def test_an_empty_environment_is_strict() -> None:
    config = load_config({})
    assert config.environment is Environment.PRODUCTION
    assert (config.session_idle_hours, config.session_days) == (8, 30)
    assert (config.log_format, config.log_level) == ("json", "info")
    assert config.trusted_proxies == config.allowed_origins == ()
    assert config.allow_local_upstreams is False
    assert config.shows_styleguide is False
    assert config.sentry_dsn is config.keys is config.keys_file is config.data_dir is None
    assert config == Config()


def test_every_variable_counts() -> None:
    config = load_config(FULL)
    assert config == Config(
        database_url="postgresql://app:kV7-tulip@db/hw",
        database_admin_url="postgresql://owner:kV7-tulip@db/hw",
        keys="kV7-tulip",
        keys_file=Path("/etc/hostwright/keys"),
        environment=Environment.DEMO,
        public_url="https://panel.example",
        company_name="Nordlicht Hosting",
        brand_colour="#b91c1c",
        trusted_proxies=("10.0.0.0/8", "192.0.2.7"),
        allowed_origins=("https://shop.example",),
        session_idle_hours=2,
        session_days=7,
        sentry_dsn="https://kV7-tulip@sentry.example/1",
        log_format="console",
        log_level="warning",
        pool_size=20,
        worker_concurrency=5,
        data_dir=Path("/var/lib/hostwright"),
        allow_local_upstreams=True,
        shutdown_delay=15,
    )
    assert config.secure_cookies
    assert config.shows_styleguide


def test_secrets_do_not_show_when_it_is_printed() -> None:
    config = load_config(FULL)
    assert "tulip" not in repr(config)
    assert "tulip" not in str(config)
    assert "tulip" not in f"{[config]}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOSTWRIGHT_ENVIRONMENT", "staging"),
        ("PUBLIC_URL", "panel.example"),
        ("PUBLIC_URL", "ftp://panel.example"),
        ("PUBLIC_URL", "http://panel.example"),  # in production
        ("PUBLIC_URL", "https://panel.example/path"),
        ("ALLOWED_ORIGINS", "null"),
        ("ALLOWED_ORIGINS", "https://shop.example, *"),
        ("BRAND_COLOUR", "red"),
        ("BRAND_COLOUR", "#fff"),
        ("SESSION_IDLE_HOURS", "0"),
        ("SESSION_IDLE_HOURS", "eight"),
        ("SESSION_DAYS", "-1"),
        ("SESSION_DAYS", "366"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("DATABASE_POOL_SIZE", "1"),
        ("DATABASE_POOL_SIZE", "1.5"),
        ("WORKER_CONCURRENCY", "1000"),
        ("ALLOW_LOCAL_UPSTREAMS", "maybe"),
        ("TRUSTED_PROXIES", "everybody"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy.internal"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        load_config({name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(FULL))
def test_an_empty_value_is_no_value(name: str) -> None:
    assert load_config({name: "  "}) == Config()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000"])
def test_production_may_do_without_https_on_this_machine(url: str) -> None:
    assert load_config({"PUBLIC_URL": url}).public_url == url


def test_development_may_do_without_https_anywhere() -> None:
    found = load_config({"PUBLIC_URL": "http://panel.test", "HOSTWRIGHT_ENVIRONMENT": "development"})
    assert found.public_url == "http://panel.test"
