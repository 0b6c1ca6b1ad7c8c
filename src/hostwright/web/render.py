"""Templates to answers. One environment serves all languages; what repeats is rendered once and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import jinja2
import msgspec
from litestar import Request, Response
from markupsafe import Markup

from hostwright.core.clock import Clock, SystemClock
from hostwright.core.config import Config, Environment
from hostwright.web import formats, i18n
from hostwright.web.brand import BrandFiles
from hostwright.web.icons import Icons
from hostwright.web.shell import CSRF, Navigation, Shell, ShellPart, shell_of

type AnyRequest = Request[Any, Any, Any]

PACKAGE: Final = Path(__file__).parent.parent
STATIC: Final = Path(__file__).parent / "static"
HEADERS: Final = {"Vary": "HX-Request, HX-Target", "Cache-Control": "private, no-cache"}
HTML: Final = "text/html"  # Litestar adds the charset
KEPT_FRAGMENTS: Final = 4_000  # rows of two hundred pages, some ten MB
COMPANY: Final = "Hostwright"  # until somebody says what the company is called
COLOUR: Final = "#4f46e5"
EXTENSIONS: Final = ["jinja2.ext.i18n"]


class AssetsMissing(RuntimeError):
    """The front end has not been built."""


class Manifest(msgspec.Struct, frozen=True):
    """What the asset build wrote: logical name to hashed name, entries' imports, and the drawings in the sprites."""

    files: dict[str, str]
    imports: dict[str, list[str]]
    symbols: dict[str, list[str]]

    @classmethod
    def read(cls, folder: Path = STATIC) -> Manifest:
        """Raises `AssetsMissing`, which says what to do."""
        try:
            content: dict[str, Any] = msgspec.json.decode((folder / "manifest.json").read_bytes())
        except FileNotFoundError as error:
            message = "The front end has not been built. Run: node assets.mjs"
            raise AssetsMissing(message) from error
        files = {name: value for name, value in content.items() if isinstance(value, str)}
        imports = {name.removesuffix(":imports"): value for name, value in content.items() if name.endswith(":imports")}
        return cls(files, imports, content["symbols"])

    def url(self, name: str) -> str:
        """Where browsers find a file: ``app.css``."""
        return f"/static/{self.files[name]}"

    def preloads(self, name: str) -> list[str]:
        """What an entry imports at once."""
        return [f"/static/{file}" for file in self.imports.get(name, [])]


def template_folders() -> list[Path]:
    """The template folders of the web package and of every feature that has one."""
    return [PACKAGE / "web" / "templates", *sorted(PACKAGE.glob("*/templates"))]


class Renderer:
    """Renders pages, blocks of pages and kept fragments. One per process."""

    def __init__(
        self,
        config: Config,
        parts: Sequence[ShellPart] = (),
        *,
        folders: Sequence[Path] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.config = config
        self.clock = clock or SystemClock()
        self.manifest = Manifest.read()
        self.company = config.company_name or COMPANY
        self.brand = BrandFiles.of(config.brand_colour or COLOUR, self.company)
        self.navigation = Navigation(parts)
        self.icons = Icons(self.manifest.url, self.manifest.symbols)
        self.pseudo = config.environment is not Environment.PRODUCTION
        self.ui = SimpleNamespace()
        self.environment = self._environment(folders or template_folders())
        self._keep = lru_cache(KEPT_FRAGMENTS)(self._fragment)
        self._load_macros()

    def _environment(self, folders: Sequence[Path]) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folders),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=self.config.environment is Environment.DEVELOPMENT,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=-1,
            extensions=EXTENSIONS,
        )
        environment.policies["ext.i18n.trimmed"] = True
        install: Any = environment
        install.install_gettext_callables(i18n.raw_gettext, i18n.raw_ngettext, newstyle=True)
        names: Any = environment.globals  # typed by Jinja as its own globals only
        names.update(
            icon=self.icons.icon,
            global_icon=self.icons.icon,  # for macros that have a parameter of that name
            os_icon=self.icons.system,
            os_key=self.icons.system_key,
            flag=self.icons.flag,
            asset=self.manifest.url,
            preloads=self.manifest.preloads,
            **self._brand_names(),
            languages=i18n.LANGUAGES,
            shows_styleguide=self.config.shows_styleguide,
            ui=self.ui,
            current_csrf=CSRF.get,
            cached_fragment=self.cached_fragment,
            navigation=self._sidebar,
        )
        filters: Any = environment.filters
        filters.update(formats.filters(self.now))
        return environment

    def _brand_names(self) -> dict[str, str]:
        """What templates call the company and its files."""
        return {"company": self.company, "brand_css": self.brand.sheet_url, "brand_icon": self.brand.icon_url}

    def set_brand(self, company: str | None, colour: str | None) -> None:
        """From now on pages show this company; None is not said. What the environment says goes before it."""
        company = self.config.company_name or company or COMPANY
        colour = self.config.brand_colour or colour or COLOUR
        brand = BrandFiles.of(colour, company)
        if (company, brand) == (self.company, self.brand):
            return
        self.company, self.brand = company, brand
        names: Any = self.environment.globals
        names.update(self._brand_names())
        self._keep.cache_clear()

    def _load_macros(self) -> None:
        """Make every macro of `components/` ``ui.name``: a block rendered alone does not see its template's imports."""
        for name in sorted(self.environment.list_templates(filter_func=lambda path: path.startswith("components/"))):
            module = self.environment.get_template(name).module
            macros = {key: value for key, value in vars(module).items() if not key.startswith("_")}
            vars(self.ui).update(macros)

    def now(self) -> datetime:
        """The time that relative times are told from."""
        return self.clock.now().astimezone(UTC)

    def shell(self, request: AnyRequest) -> Shell:
        """The facts that every page shows; sets the language."""
        return shell_of(request, pseudo=self.pseudo)

    def html(
        self,
        request: AnyRequest,
        template: str,
        context: Mapping[str, Any],
        block: str | None = None,
    ) -> str:
        """A page, or one block of it rendered alone."""
        shell = self.shell(request)
        values = {
            "shell": shell,
            "viewer": shell.viewer,
            "csrf": shell.csrf,
            "here": shell.here,
            **context,
        }
        found = self.environment.get_template(template)
        if block is None:
            return found.render(values)
        return "".join(found.blocks[block](found.new_context(values)))

    def has_block(self, template: str, name: str) -> bool:
        """Whether the template itself defines the block."""
        return name in self.environment.get_template(template).blocks

    def macro(self, name: str, *args: object, **values: object) -> Markup:
        """Call a component from Python."""
        return Markup(getattr(self.ui, name)(*args, **values))  # noqa: S704  a macro's result is escaped already

    def cached_fragment(self, template: str, record: object, variant: str = "") -> Markup:
        """A kept fragment: depends on ``record`` (a frozen struct), ``variant`` and the language alone."""
        return self._keep(template, record, variant, i18n.LANG.get())

    def _fragment(self, template: str, record: object, variant: str, language: str) -> Markup:
        del language  # only a part of the key: the context variable holds it
        found = self.environment.get_template(template)
        return Markup(found.render(record=record, variant=variant))  # noqa: S704  rendered with autoescape

    def _sidebar(self, shell: Shell) -> Markup:
        place = self.navigation.place(shell)
        return self.cached_fragment("shell/navigation.html", self.navigation.groups(shell), place)


class _Process(msgspec.Struct):
    """What this process renders with; filled by the composition root."""

    renderer: Renderer | None = None


_process: Final = _Process()


def set_shell_parts(config: Config, parts: Sequence[ShellPart]) -> Renderer:
    """Make the process's renderer, with what features put into the sidebar. Raises `AssetsMissing`."""
    _process.renderer = Renderer(config, parts)
    return _process.renderer


def renderer() -> Renderer:
    """The process's renderer."""
    if _process.renderer is None:
        message = "set_shell_parts() comes first: the composition root makes the renderer"
        raise RuntimeError(message)
    return _process.renderer


def render(
    request: AnyRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    block: str | None = None,
    status: int = 200,
) -> Response[Any]:
    """A page, or one block of it, as an answer that no shared cache keeps."""
    content = renderer().html(request, template, context or {}, block)
    return Response(content.encode(), media_type=HTML, status_code=status, headers=HEADERS)
