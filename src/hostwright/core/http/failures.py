"""What went wrong with one attempt, and which of the four provider errors that is for a read and for a write."""

from __future__ import annotations

import re
import socket
import ssl
from enum import StrEnum
from typing import Final

import aiohttp

from hostwright.core.http.addresses import ForbiddenAddress
from hostwright.core.logs import redact_text
from hostwright.core.providers import Ambiguous, Gone, ProviderError, Refused, Transient

LONGEST_TEXT: Final = 300
# What no name needs and some databases, terminals and pages choke on; half a surrogate pair is no text at all.
CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
ADDRESSES: Final = (
    re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE),
    re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b"),
    re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE),
)


class Kind(StrEnum):
    """What is known about the attempt."""

    NOT_SENT = "not_sent"
    BUSY = "busy"
    LOST = "lost"
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    GONE = "gone"


# Nothing was done when it was not sent, or the vendor said "not now" or "no". Any other write may have been done.
READ: Final[dict[Kind, type[ProviderError]]] = {
    Kind.NOT_SENT: Transient,
    Kind.BUSY: Transient,
    Kind.LOST: Transient,
    Kind.UNREADABLE: Refused,
    Kind.REFUSED: Refused,
    Kind.GONE: Gone,
}
WRITE: Final[dict[Kind, type[ProviderError]]] = READ | {Kind.LOST: Ambiguous, Kind.UNREADABLE: Ambiguous}


class Failure(Exception):
    """One attempt that brought nothing. ``again``: an equal attempt may end otherwise."""

    def __init__(
        self,
        kind: Kind,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        again: bool = True,
    ) -> None:
        self.kind = kind
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.again = again
        super().__init__(message)

    @property
    def vendor_is_ill(self) -> bool:
        """Whether this speaks against the vendor as a whole, not against this request."""
        return self.kind in (Kind.NOT_SENT, Kind.LOST)

    def may_retry(self, *, write: bool) -> bool:
        """Reads are repeated on anything that may pass; writes only when known not to have been acted on."""
        return self.again and self.error_type(write=write) is Transient

    def error_type(self, *, write: bool) -> type[ProviderError]:
        """The provider error that callers see."""
        return (WRITE if write else READ)[self.kind]

    def error(self, *, write: bool) -> ProviderError:
        """The same, made."""
        return self.error_type(write=write)(self.message, status=self.status, retry_after=self.retry_after)


def clean_text(text: str) -> str:
    """A vendor's words on one line, without secrets, addresses and control characters."""
    text = redact_text(CONTROLS.sub("", " ".join(text.split())))
    for pattern in ADDRESSES:
        text = pattern.sub("[address]", text)
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


CERTIFICATE_PROBLEMS: Final = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is self-signed",
    19: "it is self-signed",
    20: "its issuer is unknown",
    21: "its issuer is unknown",
    62: "it is for another name",
    64: "it is for another address",
}


def _connect_failure(vendor: str, error: aiohttp.ClientConnectorError) -> Failure:
    cause = error.os_error
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        code = cause.verify_code if isinstance(cause, ssl.SSLCertVerificationError) else 0
        why = CERTIFICATE_PROBLEMS.get(code, "it cannot be verified")
        return Failure(Kind.NOT_SENT, f"The TLS certificate of {vendor} is not trusted: {why}.", again=False)
    if isinstance(error, aiohttp.ClientSSLError):
        message = f"No TLS connection to {vendor} could be made: what answers there may not speak TLS."
        return Failure(Kind.NOT_SENT, message, again=False)
    if isinstance(cause, ForbiddenAddress):
        message = f"The address of {vendor} leads to a place that is never asked, such as this machine itself."
        return Failure(Kind.REFUSED, message, again=False)
    if isinstance(error, aiohttp.ClientConnectorDNSError) or isinstance(cause, socket.gaierror):
        return Failure(Kind.NOT_SENT, f"{vendor} cannot be reached: its name cannot be resolved.")
    if isinstance(cause, ConnectionRefusedError):
        return Failure(Kind.NOT_SENT, f"{vendor} cannot be reached: the connection was refused.")
    return Failure(Kind.NOT_SENT, f"{vendor} cannot be reached: there is no way to it.")


def from_exception(vendor: str, error: aiohttp.ClientError | TimeoutError | OSError) -> Failure:
    """What an attempt's exception means."""
    match error:
        case aiohttp.ClientConnectorError():
            return _connect_failure(vendor, error)
        case aiohttp.ConnectionTimeoutError():
            return Failure(Kind.NOT_SENT, f"{vendor} cannot be reached: connecting took too long.")
        case aiohttp.InvalidURL():
            return Failure(Kind.REFUSED, f"The address of {vendor} is not usable.", again=False)
        case TimeoutError():
            return Failure(Kind.LOST, f"{vendor} did not answer in time.")
        case _:
            return Failure(Kind.LOST, f"The connection to {vendor} broke off.")


# Moved for good or for now: the request was not carried out here. After 302 and 303 it may have been.
NOT_DONE_HERE: Final = frozenset({301, 307, 308})
BUSY: Final = {
    423: "{vendor} is busy with this. It can be tried again in a moment.",
    429: "{vendor} asks us to slow down.",
}


def from_status(vendor: str, status: int, text: str | None, retry_after: float | None, *, of_one: bool) -> Failure:
    """What an answer outside 2xx means.

    ``text`` is what the vendor says about it. With ``of_one`` a 404 says that the object asked for is not there,
    otherwise that the whole address is wrong.
    """
    said = clean_text(text).rstrip(".") if text else ""
    if status in BUSY:
        return Failure(Kind.BUSY, BUSY[status].format(vendor=vendor), status=status, retry_after=retry_after)
    match status:
        case 401:
            message = f"{vendor} does not accept the API token (401): it is wrong, expired or not allowed from here."
            return Failure(Kind.REFUSED, message, status=status)
        case 403:
            message = f"The API token for {vendor} lacks the permission for this (403)" + (
                f": {said}." if said else "."
            )
            return Failure(Kind.REFUSED, message, status=status)
        case 404 | 410 if of_one:
            return Failure(Kind.GONE, f"{vendor} does not know this (404).", status=status)
        case 404 | 410:
            message = f"What answers at the address of {vendor} does not know this call ({status})."
            return Failure(Kind.REFUSED, message, status=status)
        case 408:
            return Failure(Kind.LOST, f"{vendor} did not get the whole request in time.", status=status)
        case _ if 300 <= status < 400:  # noqa: PLR2004  redirects
            kind = Kind.REFUSED if status in NOT_DONE_HERE else Kind.UNREADABLE
            message = f"{vendor} answers with a redirect ({status}), which is not followed. Its address may be wrong."
            return Failure(kind, message, status=status)
        case _ if 400 <= status < 500:  # noqa: PLR2004  the request is at fault
            message = f"{vendor} refused: {said}." if said else f"{vendor} refused the request ({status})."
            return Failure(Kind.REFUSED, message, status=status)
        case _:
            return Failure(Kind.LOST, f"{vendor} failed ({status}).", status=status, retry_after=retry_after)
