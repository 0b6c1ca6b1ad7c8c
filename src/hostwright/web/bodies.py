"""Bodies into structs, with one entry per bad field: msgspec stops at the first, so failures get a second look."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import SerializationException

from hostwright.core.errors import AppError, BadRequest, FieldProblem, Invalid


class UnsupportedBody(AppError):
    code = "unsupported_media_type"
    status = 415
    default_message = "Send JSON with the content type application/json."


def plain(message: str) -> str:
    """Msgspec's words without its path, as they stand beside a field."""
    text = message.partition(" - at ")[0]
    return text[:1].lower() + text[1:]


def field_problems(kind: type[msgspec.Struct], body: bytes) -> list[FieldProblem]:
    """Every field of ``body`` that does not pass, unknown and missing ones too."""
    try:
        raw = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return [FieldProblem("body", "must be a JSON object")]
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    found: list[FieldProblem] = []
    for name, field in fields.items():
        if name not in raw:
            if field.required:
                found.append(FieldProblem(name, "is required"))
            continue
        try:
            msgspec.json.decode(raw[name], type=field.type)
        except msgspec.ValidationError as error:
            found.append(FieldProblem(name, plain(str(error))))
    found += [FieldProblem(name, "is not known") for name in raw if name not in fields]
    return found


def decode_body[T: msgspec.Struct](kind: type[T], body: bytes) -> T:
    """``body`` as ``kind``; raises `Invalid` with one entry per field, `BadRequest` when it is not JSON."""
    if not body:
        raise Invalid([FieldProblem("body", "is required")])
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Invalid(field_problems(kind, body) or [FieldProblem("body", plain(str(error)))]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = "The body is not valid JSON."
        raise BadRequest(message) from error


async def read_json(request: Request[Any, Any, Any]) -> None:
    """Before an operation: refuse a body that is not JSON; Litestar would take some of them for our failure."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if await request.body() and kind not in ("", "application/json"):
        raise UnsupportedBody
    try:
        await request.json()
    except (SerializationException, UnicodeDecodeError, RecursionError) as error:
        message = "The body is not valid JSON."
        raise BadRequest(message) from error


async def form_lists(request: Request[Any, Any, Any]) -> dict[str, list[str]]:
    """A form's fields as text, each as often as it was sent. Raises `BadRequest`."""
    try:
        form = await request.form()
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        message = "The form cannot be read: it is not text in UTF-8."
        raise BadRequest(message) from error
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            found.setdefault(name, []).append(value)
    return found


async def form_values(request: Request[Any, Any, Any]) -> dict[str, str]:
    """A form's fields as text, of repeated ones the last; files do not occur in our forms. Raises `BadRequest`."""
    return {name: values[-1] for name, values in (await form_lists(request)).items()}


def decode_form[T: msgspec.Struct](kind: type[T], values: Mapping[str, str]) -> T:
    """A form as ``kind``; raises `Invalid` with one entry per field. Unknown fields are dropped."""
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    wanted = {name: value for name, value in values.items() if name in known}
    try:
        return msgspec.convert(wanted, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(field_problems(kind, msgspec.json.encode(wanted))) from error
