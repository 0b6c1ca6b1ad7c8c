"""The web process: puts core, features and vendors together. Only this, `worker` and `cli` know them all."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from hostwright import __version__
from hostwright.admin import api as admin_api
from hostwright.admin import pages as admin_pages
from hostwright.core import logs, metrics, sentry
from hostwright.core.config import Config, Environment, load_config
from hostwright.core.crypto import Keyring, check_keys
from hostwright.core.db import create_database
from hostwright.core.live import Hub
from hostwright.core.passwords import Passwords
from hostwright.core.presence import heartbeat
from hostwright.identity import api as identity_api
from hostwright.identity import pages as identity_pages
from hostwright.identity.access import identity_dependencies
from hostwright.identity.live import live_route
from hostwright.servers import api as servers_api
from hostwright.servers import pages as servers_pages
from hostwright.servers.ports import Providers, Trial
from hostwright.settings.records import Company
from hostwright.settings.service import followed
from hostwright.setup.pages import SetupPages
from hostwright.upstream.factory import connection_providers, connection_trial
from hostwright.web.asgi import Asgi, Outer
from hostwright.web.brand import brand_route
from hostwright.web.error_pages import error_page
from hostwright.web.errors import error_handlers
from hostwright.web.health import HealthApi
from hostwright.web.inject import Services, core_dependencies
from hostwright.web.openapi import document_router
from hostwright.web.render import renderer, set_shell_parts
from hostwright.web.styleguide import StyleguidePages

GOODBYE_SECONDS: Final = 0.5


def openapi_config() -> OpenAPIConfig:
    """The API's document at ``/api/openapi.json``."""
    return OpenAPIConfig(
        title="Hostwright",
        version=__version__,
        description="Everything that the pages do, for programs. Errors have one shape; times are UTC.",
        openapi_router=document_router(),
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        components=Components(
            security_schemes={
                "session": SecurityScheme(type="apiKey", security_scheme_in="cookie", name="hw_session"),
                "key": SecurityScheme(type="http", scheme="bearer", description="An API key that begins with hw_."),
            }
        ),
        use_handler_docstrings=False,
    )


class App:
    """One web process."""

    def __init__(self, config: Config, *, passwords: Passwords | None = None) -> None:
        self.config = config
        self.closing = asyncio.Event()
        self.services = Services(
            config=config,
            keyring=Keyring.load(config),
            passwords=passwords or Passwords(),
        )
        self.providers: Providers | None = None
        self.litestar = self._litestar()
        inner: Any = self.litestar  # its own names for the same ASGI types
        self.asgi: Asgi = Outer(inner, config, self.services.draining)

    def _litestar(self) -> Litestar:
        parts = [servers_pages.ServersShell(), admin_pages.AdminShell(), identity_pages.IdentityShell()]
        set_shell_parts(self.config, parts)
        live = servers_pages.ServerLive()
        handlers: list[Any] = [
            HealthApi,
            brand_route(),
            *identity_api.HANDLERS,
            *servers_api.HANDLERS,
            *admin_api.HANDLERS,
            *identity_pages.HANDLERS,
            SetupPages,
            *servers_pages.HANDLERS,
            servers_api.console_route(self.closing),
            *admin_pages.HANDLERS,
            live_route({live.name: live}, self.closing),
        ]
        if self.config.shows_styleguide:
            handlers.append(StyleguidePages)
        return Litestar(
            handlers,
            dependencies={
                **core_dependencies(self.services),
                **identity_dependencies(self.services),
                "providers": Provide(self._provide_providers),
                "trial": Provide(self._provide_trial),
            },
            exception_handlers=error_handlers(error_page),
            openapi_config=openapi_config(),
            lifespan=[self._lifespan],
            logging_config=None,
            request_max_body_size=None,
        )

    async def _provide_providers(self) -> Providers:
        if self.providers is None:
            message = "providers are made when the process starts"
            raise RuntimeError(message)
        return self.providers

    async def _provide_trial(self) -> Trial:
        return connection_trial(self.config)

    @asynccontextmanager
    async def _lifespan(self, app: Litestar) -> AsyncGenerator[None]:
        del app
        self.closing.clear()
        database = await create_database(self.config.database_url, max_size=self.config.pool_size)
        self.services.database = database
        hub = Hub(database.connect)
        self.services.hub = hub
        in_test = self.config.environment is Environment.TEST
        restore = None if in_test else _leave_on_sigterm(self.services, self.closing)
        try:
            async with connection_providers(self.config, database, self.services.keyring) as providers:
                self.providers = providers
                async with database.acquire() as db:
                    await check_keys(db, self.services.keyring)
                hub.start()
                async with followed(database, hub, _show_company), heartbeat(database, "web", __version__):
                    yield
        finally:
            self.closing.set()
            await hub.stop()
            await database.close()
            self.services.passwords.close()
            if restore is not None:
                restore()
            sentry.flush()


def _show_company(company: Company) -> None:
    """Pages of this process show the company from now on."""
    renderer().set_brand(company.name, company.brand_colour)


def _leave_on_sigterm(services: Services, closing: asyncio.Event) -> Callable[[], None]:
    """Leave without a lost request: for the configured time this process says that it is not ready and answers what
    still comes; then open event streams end, which would hold granian for ever, and it stops as on Ctrl-C (pitfalls 3).
    """
    loop = asyncio.get_running_loop()

    def begin() -> None:
        if services.draining.is_set():
            return
        services.draining.set()
        loop.call_later(services.config.shutdown_delay, end)

    def end() -> None:
        closing.set()
        # Consoles say goodbye first: granian would cut them without a word, and their pages would not know why.
        loop.call_later(GOODBYE_SECONDS, os.kill, os.getpid(), signal.SIGINT)

    def restore() -> None:
        with suppress(ValueError, RuntimeError):
            loop.remove_signal_handler(signal.SIGTERM)

    try:
        loop.add_signal_handler(signal.SIGTERM, begin)
    except (ValueError, RuntimeError):
        return lambda: None
    return restore


def build_app(config: Config, *, passwords: Passwords | None = None) -> App:
    """A web process over ``config``; nothing is opened before its lifespan begins."""
    return App(config, passwords=passwords)


def create_app() -> Asgi:
    """What granian calls in each of its processes."""
    config = load_config(os.environ)
    logs.configure(config)
    sentry.configure(config, "web")
    metrics.start()
    return build_app(config).asgi
