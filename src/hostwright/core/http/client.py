"""The client that vendors' clients extend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final

import aiohttp
import msgspec
import structlog
from yarl import URL

from hostwright import __version__
from hostwright.core import metrics
from hostwright.core.http.addresses import Reach, open_socket
from hostwright.core.http.breaker import Breaker
from hostwright.core.http.failures import Failure, Kind, from_exception, from_status
from hostwright.core.http.pace import Pace, retry_after
from hostwright.core.providers import Gone, ProviderError, Refused, Transient

log = structlog.get_logger(__name__)

# Reads keep connections for less than the shortest keep-alive in common use (Apache's five seconds).
KEEP_ALIVE: Final = 4.0
CHUNK: Final = 64 * 1024
LONGEST_ERROR: Final = 64 * 1024


class Method(StrEnum):
    """What is done. Everything but GET is a write."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a client behaves. All its waiting and trying ends within ``patience`` plus one ``total``, in seconds."""

    connect: float = 5.0
    total: float = 20.0
    patience: float = 30.0
    attempts: int = 3
    first_wait: float = 0.25
    longest_wait: float = 4.0
    body_bytes: int = 8 * 1024 * 1024
    at_once: int = 16
    verify_tls: bool = True
    reach: Reach = Reach.NETWORK


class Call[T](msgspec.Struct, frozen=True, kw_only=True):
    """One thing to ask.

    ``operation`` names it in metrics and logs; ``decode`` raises `msgspec.MsgspecError`; ``of_one`` says that the path
    names one object, so that a 404 is about that and raises `Gone`.
    """

    operation: str
    method: Method
    path: str
    decode: Callable[[bytes], T]
    query: Mapping[str, str] = {}
    body: bytes | None = None
    of_one: bool = False

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method is not Method.GET


class HttpClient:
    """One vendor connection: sessions, timeouts, retries, circuit breaker, metrics.

    Reads are retried on whatever may pass; writes only when they are known not to have been acted on (no connection,
    423, 429). Raises the four errors of `core.providers`, whose messages name no address and no secret. Redirects are
    not followed, so the token goes nowhere else. A subclass says in `error_text` how its vendor words errors.
    """

    vendor: str = "vendor"
    label: str = "The upstream"

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        settings: Settings | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._headers = {"Accept": "application/json", "User-Agent": f"Hostwright/{__version__}", **headers}
        self.settings = settings or Settings()
        self.pace = pace or Pace()
        self.breaker = Breaker(self.pace.monotonic)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._under_way = 0
        self._retired = False

    @property
    def base_url(self) -> str:
        """What every call's path stands behind."""
        return self._base

    def error_text(self, status: int, body: bytes) -> str | None:
        """The vendor's own words in an answer outside 2xx; None when there are none."""
        del status, body
        return None

    async def close(self) -> None:
        """Close all connections. A later call opens new ones."""
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()

    async def retire(self) -> None:
        """Close as soon, and whenever, no call is under way: a newer client has taken over."""
        self._retired = True
        if not self._under_way:
            await self.close()

    async def send[T](self, call: Call[T]) -> T:
        """Make a call, again where that is safe; raises one of the four provider errors."""
        self._under_way += 1
        try:
            return await self._send(call)
        finally:
            self._under_way -= 1
            if self._retired and not self._under_way:
                await self.close()

    async def _send[T](self, call: Call[T]) -> T:
        begun = self.pace.monotonic()
        attempt = 0
        while True:
            self._enter(call)
            try:
                return await self._attempt(call)
            except Failure as failure:
                wait = self._wait(call, failure, attempt, self.pace.monotonic() - begun)
                if wait is None:
                    error = failure.error(write=call.writes)
                    self._tell(call, error, attempt + 1)
                    raise error from failure.__cause__
            attempt += 1
            await self.pace.sleep(wait)

    def _enter(self, call: Call[Any]) -> None:
        rest = self.breaker.enter()
        if rest is not None:
            error = Transient(f"{self.label} did not answer several times and is left alone for now.", retry_after=rest)
            metrics.observe_upstream(self.vendor, call.operation, error.code, 0.0)
            raise error

    def _wait(self, call: Call[Any], failure: Failure, attempt: int, elapsed: float) -> float | None:
        """Seconds until the next attempt; None when this was the last."""
        if attempt + 1 >= self.settings.attempts or not failure.may_retry(write=call.writes):
            return None
        wait = self.pace.backoff(attempt, first=self.settings.first_wait, longest=self.settings.longest_wait)
        wait += failure.retry_after or 0.0
        return wait if elapsed + wait < self.settings.patience else None

    def _tell(self, call: Call[Any], error: ProviderError, attempts: int) -> None:
        expected = isinstance(error, Refused | Gone)
        (log.info if expected else log.warning)(
            "upstream.call_failed",
            vendor=self.vendor,
            operation=call.operation,
            code=error.code,
            status=error.status,
            attempts=attempts,
        )

    async def _attempt[T](self, call: Call[T]) -> T:
        """One request: its outcome goes to the breaker and the metrics."""
        begun = self.pace.monotonic()
        outcome = "cancelled"
        try:
            result = await self._request(call)
        except Failure as failure:
            outcome = failure.error_type(write=call.writes).code
            self._answered(call, ill=failure.vendor_is_ill)
            raise
        else:
            outcome = "done"
            self._answered(call, ill=False)
            return result
        finally:
            if outcome == "cancelled":
                self.breaker.abandoned()
            metrics.observe_upstream(self.vendor, call.operation, outcome, self.pace.monotonic() - begun)

    def _answered(self, call: Call[Any], *, ill: bool) -> None:
        if ill and self.breaker.failed():
            log.warning("upstream.circuit_opened", vendor=self.vendor, operation=call.operation)
        elif not ill and self.breaker.succeeded():
            log.info("upstream.circuit_closed", vendor=self.vendor, operation=call.operation)

    async def _request[T](self, call: Call[T]) -> T:
        headers = {"Content-Type": "application/json"} if call.body is not None else {}
        try:
            async with self._session(writes=call.writes).request(
                call.method,
                self._url(call),
                data=call.body,
                headers=headers,
                allow_redirects=False,
            ) as response:
                if not 200 <= response.status < 300:  # noqa: PLR2004  redirects are not answers
                    raise await self._not_ok(call, response)
                body = await self._body(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise from_exception(self.label, error) from error
        return self._decoded(call, body)

    async def _once(self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Keeps aiohttp from repeating GET, PUT and DELETE by itself when a connection breaks, writes included."""
        try:
            return await send(request)
        except aiohttp.ClientConnectionError as error:
            raise from_exception(self.label, error) from error

    def _url(self, call: Call[Any]) -> URL:
        try:
            url = URL(self._base + call.path)
        except ValueError:
            url = URL()
        odd = url.user or url.password or url.query_string or url.fragment
        if url.scheme not in {"http", "https"} or not url.host or odd:
            message = f"The address of {self.label} is not usable: it has to be like https://control.example.com."
            raise Failure(Kind.REFUSED, message, again=False)
        return url.with_query(dict(call.query)) if call.query else url

    async def _not_ok(self, call: Call[Any], response: aiohttp.ClientResponse) -> Failure:
        body = b""
        # The status says what happened, even when the words about it do not arrive.
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async for part in response.content.iter_chunked(CHUNK):
                body += part
                if len(body) > LONGEST_ERROR:
                    break
        asked = retry_after(response.headers.get("Retry-After"), self.pace.now())
        text = self.error_text(response.status, body)
        return from_status(self.label, response.status, text, asked, of_one=call.of_one)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """The whole body, as long as it keeps within the limit, also once unpacked."""
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_chunked(CHUNK):
            size += len(part)
            if size > self.settings.body_bytes:
                response.close()
                megabytes = self.settings.body_bytes / 1024 / 1024
                message = f"The answer of {self.label} is larger than {megabytes:g} MiB."
                raise Failure(Kind.UNREADABLE, message, status=response.status)
            parts.append(part)
        return b"".join(parts)

    def _decoded[T](self, call: Call[T], body: bytes) -> T:
        try:
            return call.decode(body)
        except msgspec.ValidationError as error:
            # The error names a field and a type, never a value.
            message = f"{self.label} answers otherwise than expected ({error})."
            raise Failure(Kind.UNREADABLE, message) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Failure(Kind.UNREADABLE, f"{self.label} does not answer with JSON.") from error

    def _session(self, *, writes: bool) -> aiohttp.ClientSession:
        """Writes get a fresh connection each: a kept one may have been closed meanwhile, as if the answer were lost."""
        session = self._sessions.get(writes)
        if session is not None and not session.closed:
            return session
        settings = self.settings
        pool: dict[str, Any] = {"force_close": True} if writes else {"keepalive_timeout": KEEP_ALIVE}
        if settings.reach is Reach.NETWORK:
            pool["socket_factory"] = open_socket
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.at_once, ssl=settings.verify_tls, **pool),
            timeout=aiohttp.ClientTimeout(
                total=settings.total,
                connect=2 * settings.connect,  # with waiting for a free place among ``at_once``
                sock_connect=settings.connect,
            ),
            headers=self._headers,
            middlewares=(self._once,),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        self._sessions[writes] = session
        return session
