"""Pages of the first run. Plain forms, one address a step; all of it is 404 when nothing is to be set up."""

from typing import Any, Final

import msgspec
from litestar import Controller, Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from hostwright.core.clock import SystemClock
from hostwright.core.config import Config
from hostwright.core.db import Database
from hostwright.core.errors import AppError, Forbidden, Invalid, NotFound
from hostwright.identity.access import Caller, client_of
from hostwright.identity.api import session_cookies
from hostwright.identity.records import Role
from hostwright.identity.schemas import Register, Viewer
from hostwright.servers.ports import Trial
from hostwright.settings import queries as settings
from hostwright.setup import queries, service
from hostwright.setup.policy import ORDER, may_open, next_step
from hostwright.setup.records import SetupRow, Step
from hostwright.setup.schemas import CompanyForm, ConnectionForm
from hostwright.setup.service import Outcome
from hostwright.setup.views import STEPS, Mark, area_views, colour_or, looks
from hostwright.web.answer import page
from hostwright.web.bodies import decode_form, form_values
from hostwright.web.i18n import LANGUAGES, choose_language, gettext
from hostwright.web.inject import AnyRequest, Injected, Services
from hostwright.web.messages import field_message
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import COLOUR, renderer

BASE: Final = "/setup"
SIGN_IN: Final = "/sign-in?next=/setup"
PANEL: Final = "/admin/servers"
HIDDEN: Final = frozenset({"password", "csrf", "token"})
DAY: Final = 86_400
CLOCK: Final = SystemClock()


class Stage(msgspec.Struct, frozen=True):
    """Where the first run stands, for this visitor."""

    row: SetupRow
    now: Step
    staff: Viewer | None


def cookie_name(config: Config) -> str:
    """The cookie of whoever entered the token."""
    return "__Host-hw_setup" if config.secure_cookies else "hw_setup"


def _cookie(config: Config, value: str, seconds: int) -> Cookie:
    return Cookie(
        key=cookie_name(config),
        value=value,
        max_age=seconds,
        path="/",
        httponly=True,
        secure=config.secure_cookies,
        samesite="lax",
    )


def _go(target: str, *cookies: Cookie) -> Response[Any]:
    return Redirect(target, status_code=303, cookies=list(cookies))


async def _stage(request: AnyRequest, database: Database, caller: Caller, config: Config) -> Stage:
    """Where it stands; raises `NotFound` when nothing is to be set up, `Forbidden` for somebody who is no admin."""
    choose_language(request, pseudo=renderer().pseudo)
    async with database.acquire() as db:
        row = await queries.setup.maybe(db)
    if row is None or row.finished_at is not None:
        raise NotFound
    viewer = caller.viewer
    staff = viewer if viewer is not None and viewer.role is Role.ADMIN and viewer.session_id is not None else None
    if row.has_admin and viewer is not None and staff is None:
        raise Forbidden
    cookie = request.cookies.get(cookie_name(config))
    return Stage(row, next_step(row, entered=service.is_visitor(row, cookie, CLOCK.now())), staff)


def _elsewhere(stage: Stage, wanted: Step) -> Response[Any] | None:
    """Where a visitor of ``wanted`` has to go instead, if anywhere."""
    if stage.row.has_admin and stage.staff is None:
        return _go(SIGN_IN)
    return None if may_open(wanted, stage.now) else _go(f"{BASE}/{stage.now}")


def _marks(stage: Stage, here: Step) -> list[Mark]:
    """The row of steps at the top."""

    def mark(step: Step) -> Mark:
        state = "now" if step is here else "done" if ORDER.index(step) < ORDER.index(stage.now) else "next"
        return Mark(gettext(STEPS[step]), f"{BASE}/{step}", state, may_open(step, stage.now) and step is not here)

    return [mark(step) for step in ORDER]


def _page(
    request: AnyRequest,
    stage: Stage,
    here: Step,
    values: dict[str, str] | None = None,
    error: AppError | None = None,
    *,
    status: int = 200,
    **more: Any,
) -> Response[Any]:
    shown = {name: value for name, value in (values or {}).items() if name not in HIDDEN}
    context = {"marks": _marks(stage, here), "values": shown, "errors": _errors(error), "stage": stage, **more}
    if error is not None:
        status = 422 if isinstance(error, Invalid) or error.status == Forbidden.status else error.status
    return page(request, f"setup/{here}.html", context, status=status)


def _errors(error: AppError | None) -> dict[str, str]:
    if isinstance(error, Invalid):
        return {problem.field: field_message(problem.message) for problem in error.problems}
    return {"": gettext(error.message)} if error else {}


class SetupPages(Controller):
    """The steps, in order. Whoever comes to another one than is to be done is led there."""

    path = BASE

    @page_get("", auth="public")
    async def begin(
        self, request: AnyRequest, database: Injected[Database], caller: Injected[Caller], app_config: Injected[Config]
    ) -> Response[Any]:
        """The step that is to be done now."""
        stage = await _stage(request, database, caller, app_config)
        return _elsewhere(stage, stage.now) or _go(f"{BASE}/{stage.now}")

    @page_get("/token", auth="public")
    async def token_form(
        self, request: AnyRequest, database: Injected[Database], caller: Injected[Caller], app_config: Injected[Config]
    ) -> Response[Any]:
        """Ask for what the terminal shows."""
        stage = await _stage(request, database, caller, app_config)
        return _elsewhere(stage, Step.TOKEN) or _page(request, stage, Step.TOKEN)

    @page_post("/token", auth="public")
    async def token(
        self, request: AnyRequest, database: Injected[Database], caller: Injected[Caller], app_config: Injected[Config]
    ) -> Response[Any]:
        """Take the token; from here on this browser goes on."""
        stage = await _stage(request, database, caller, app_config)
        if away := _elsewhere(stage, Step.TOKEN):
            return away
        typed = (await form_values(request)).get("token", "")
        try:
            value = await service.enter_token(database, client_of(request), typed, CLOCK)
        except AppError as error:
            return _page(request, stage, Step.TOKEN, error=error)
        return _go(f"{BASE}/{Step.ADMIN}", _cookie(app_config, value, DAY))

    @page_get("/admin", auth="public")
    async def admin_form(
        self, request: AnyRequest, database: Injected[Database], caller: Injected[Caller], app_config: Injected[Config]
    ) -> Response[Any]:
        """Ask for the first admin."""
        stage = await _stage(request, database, caller, app_config)
        return _elsewhere(stage, Step.ADMIN) or _page(request, stage, Step.ADMIN)

    @page_post("/admin", auth="public")
    async def admin(
        self, request: AnyRequest, database: Injected[Database], caller: Injected[Caller], services: Injected[Services]
    ) -> Response[Any]:
        """Make the first admin, signed in."""
        config = services.config
        stage = await _stage(request, database, caller, config)
        if away := _elsewhere(stage, Step.ADMIN):
            return away
        values = await form_values(request)
        language = choose_language(request)
        try:
            _, session = await service.create_admin(
                database,
                services.passwords,
                decode_form(Register, values),
                client_of(request),
                CLOCK,
                cookie=request.cookies.get(cookie_name(config)),
                session_days=config.session_days,
                language=language if language in LANGUAGES else "en",
            )
        except AppError as error:
            return _page(request, stage, Step.ADMIN, values, error)
        return _go(f"{BASE}/{Step.COMPANY}", *session_cookies(services, session), _cookie(config, "", 0))

    @page_get("/company", auth="public")
    async def company_form(
        self, request: AnyRequest, database: Injected[Database], caller: Injected[Caller], app_config: Injected[Config]
    ) -> Response[Any]:
        """Ask for name and colour. What is typed so far may stand in the address, for the preview."""
        stage = await _stage(request, database, caller, app_config)
        if away := _elsewhere(stage, Step.COMPANY):
            return away
        async with database.acquire() as db:
            known = await settings.company.maybe(db)
        stored = {"name": (known and known.name) or "", "brandColour": (known and known.brand_colour) or COLOUR}
        typed = {name: request.query_params[name] for name in stored if name in request.query_params}
        return _company(request, stage, app_config, stored | typed)

    @page_post("/company", auth="public")
    async def company(
        self, request: AnyRequest, database: Injected[Database], caller: Injected[Caller], app_config: Injected[Config]
    ) -> Response[Any]:
        """Keep name and colour, or only look at the colour."""
        stage = await _stage(request, database, caller, app_config)
        if away := _elsewhere(stage, Step.COMPANY):
            return away
        values = await form_values(request)
        values["name"] = " ".join(values.get("name", "").split())
        if values.get("do") == "look":
            return _company(request, stage, app_config, values)
        try:
            form = decode_form(CompanyForm, values)
            async with database.transaction() as tx:
                await service.name_company(tx, _staff(stage), form, CLOCK)
            renderer().set_brand(form.name, form.brand_colour)  # here at once; other processes hear of it
        except AppError as error:
            return _company(request, stage, app_config, values, error)
        return _go(BASE)

    @page_get("/virtfusion", auth="public")
    async def virtfusion_form(
        self, request: AnyRequest, database: Injected[Database], caller: Injected[Caller], app_config: Injected[Config]
    ) -> Response[Any]:
        """Ask how to reach VirtFusion."""
        stage = await _stage(request, database, caller, app_config)
        if away := _elsewhere(stage, Step.VIRTFUSION):
            return away
        async with database.acquire() as db:
            draft = await queries.draft.maybe(db, stage.row.connection_id or 0)
        values = {
            "baseUrl": draft.base_url if draft else "",
            "verifyTls": "yes" if not draft or draft.verify_tls else "",
        }
        return _virtfusion(request, stage, values, has_token=draft is not None)

    @page_post("/virtfusion", auth="public")
    async def virtfusion(
        self,
        request: AnyRequest,
        database: Injected[Database],
        caller: Injected[Caller],
        services: Injected[Services],
        trial: Injected[Trial],
    ) -> Response[Any]:
        """Test, attach, or leave it for later."""
        stage = await _stage(request, database, caller, services.config)
        if away := _elsewhere(stage, Step.VIRTFUSION):
            return away
        values = await form_values(request)
        wish = values.get("do")
        if wish == "later":
            async with database.transaction() as tx:
                await service.skip(tx, _staff(stage), CLOCK)
            return _go(BASE)
        try:
            form = decode_form(ConnectionForm, values)
            async with database.transaction() as tx:
                draft = await service.save_draft(tx, services.keyring, form)
        except AppError as error:
            return _virtfusion(request, stage, values, error, has_token=stage.row.connection_id is not None)
        outcome = await service.try_connection(services.keyring, trial, draft)
        wanted = wish == "attach" or (wish == "anyway" and outcome.connected)
        if not wanted or not (outcome.ok or wish == "anyway"):
            status = 422 if wanted else 200
            return _virtfusion(request, stage, values | {"baseUrl": draft.base_url}, None, outcome, status=status)
        async with database.transaction() as tx:
            await service.attach(tx, _staff(stage), draft, CLOCK)
        return _go(BASE)

    @page_get("/import", auth="public")
    async def progress(
        self, request: AnyRequest, database: Injected[Database], caller: Injected[Caller], app_config: Injected[Config]
    ) -> Response[Any]:
        """What was found so far."""
        stage = await _stage(request, database, caller, app_config)
        if away := _elsewhere(stage, Step.IMPORT):
            return away
        async with database.acquire() as db:
            found = await service.progress_of(db, stage.row.connection_id)
        return _page(request, stage, Step.IMPORT, progress=found)

    @page_post("/import", auth="public")
    async def finish(
        self, request: AnyRequest, database: Injected[Database], caller: Injected[Caller], app_config: Injected[Config]
    ) -> Response[Any]:
        """End the first run and open the panel."""
        stage = await _stage(request, database, caller, app_config)
        if away := _elsewhere(stage, Step.IMPORT):
            return away
        async with database.transaction() as tx:
            await service.finish(tx, _staff(stage), CLOCK)
        return _go(PANEL)


def _staff(stage: Stage) -> Viewer:
    if stage.staff is None:
        raise Forbidden
    return stage.staff


def _company(
    request: AnyRequest, stage: Stage, config: Config, values: dict[str, str], error: AppError | None = None
) -> Response[Any]:
    colour = colour_or(values.get("brandColour", ""), COLOUR)
    fixed = {"name": config.company_name, "colour": config.brand_colour}
    shown = " ".join(values.get("name", "").split())[:80]
    return _page(
        request, stage, Step.COMPANY, values, error, looks=looks(colour), colour=colour, shown=shown, fixed=fixed
    )


def _virtfusion(  # noqa: PLR0913  what the page shows
    request: AnyRequest,
    stage: Stage,
    values: dict[str, str],
    error: AppError | None = None,
    outcome: Outcome | None = None,
    *,
    has_token: bool = True,
    status: int = 200,
) -> Response[Any]:
    areas = area_views(outcome.areas) if outcome else []
    return _page(
        request, stage, Step.VIRTFUSION, values, error, status=status, outcome=outcome, areas=areas, has_token=has_token
    )
