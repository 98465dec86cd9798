"""Request bodies: how much is read, and what passes as JSON (U1).

A body is JSON as RFC 8259 means it where parsers are said to differ: UTF-8, each name once, finite numbers, whole
characters. Whoever checks a body and whoever uses it then read the same thing.
"""

import json
import math
from email.message import Message
from typing import Any, ClassVar, Final, NoReturn

from starlette.requests import Request

from shared.kernel.errors import Kind, TesseraError

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
"""Files go to the bucket, not through the API; API Gateway's own limit is 10 MB."""

MAX_DEPTH: Final = 32
"""Arrays and objects within one another; no operation needs more than a few."""

MEDIA_TYPE: Final = "application/json"

_MOST_DIGITS: Final = 20


class BodyTooLargeError(TesseraError):
    """The body is larger than any operation reads."""

    code: ClassVar[str] = "body-too-large"
    kind: ClassVar[Kind] = Kind.TOO_LARGE

    def __init__(self) -> None:
        super().__init__(f"Send at most {MAX_BODY_BYTES} bytes; files go through create_upload.", limit=MAX_BODY_BYTES)


class UnsupportedMediaTypeError(TesseraError):
    """The body is not declared as what operations read."""

    code: ClassVar[str] = "unsupported-media-type"
    kind: ClassVar[Kind] = Kind.UNSUPPORTED_TYPE

    def __init__(self) -> None:
        super().__init__(f"Send the body as Content-Type: {MEDIA_TYPE}, in UTF-8, without a Content-Encoding.")


class InvalidJsonError(TesseraError):
    """The body is no JSON, or JSON that two parsers may read differently."""

    code: ClassVar[str] = "invalid-json"
    kind: ClassVar[Kind] = Kind.INVALID


class JsonRequest(Request):
    """A request whose body was read and checked; `value` means nothing where the body is empty."""

    def __init__(self, request: Request, content: bytes, value: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._content = content
        self._value = value

    async def body(self) -> bytes:
        return self._content

    async def json(self) -> Any:
        return self._value


def check_announced_size(request: Request) -> None:
    """Raises: BodyTooLargeError for a body that says itself that it is too large."""
    announced = request.headers.get("content-length", "")
    # Longer ones are refused unread: Python itself gives up on thousands of digits.
    if announced.isdecimal() and (len(announced) > _MOST_DIGITS or int(announced) > MAX_BODY_BYTES):
        raise BodyTooLargeError


async def read_body(request: Request) -> JsonRequest:
    """Read the body of `request`, but never more than `MAX_BODY_BYTES`, whatever was announced.

    Raises: BodyTooLargeError, UnsupportedMediaTypeError, InvalidJsonError.
    """
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > MAX_BODY_BYTES:
            raise BodyTooLargeError
    if not content:
        return JsonRequest(request, b"", None)
    _check_type(request)
    return JsonRequest(request, bytes(content), read_json(bytes(content)))


def read_json(content: bytes) -> Any:
    """Return the value of a JSON text. Raises: InvalidJsonError."""
    try:
        value = json.loads(
            content.decode(),
            object_pairs_hook=_members_once,
            parse_constant=_refuse_constant,
            parse_float=_number,
        )
    except InvalidJsonError:
        raise
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        raise InvalidJsonError(f"The body is no JSON: {error.msg} at character {error.pos}.") from None
    except ValueError:
        raise InvalidJsonError("The body is no JSON in UTF-8, or holds a number that is too long.") from None
    _check_depth(value)
    return value


def _check_type(request: Request) -> None:
    declared = Message()
    declared["content-type"] = request.headers.get("content-type", "")
    is_json = declared.get_content_type() == MEDIA_TYPE
    is_utf8 = str(declared.get_param("charset", "utf-8")).lower() in {"utf-8", "utf8"}
    is_plain = request.headers.get("content-encoding", "identity").lower() == "identity"
    if not (is_json and is_utf8 and is_plain):
        raise UnsupportedMediaTypeError


def _members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise InvalidJsonError(f"An object of the body names {name[:100]!r} twice. Send each name once.")
        members[name] = value
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJsonError(f"The body holds {name}, which is no JSON number.")


def _number(digits: str) -> float | int:
    number = float(digits)
    if not math.isfinite(number):
        raise InvalidJsonError("The body holds a number that is too large.")
    # To JSON 5.0 is a whole number, and 5 a number; beyond 2**53 a float no longer tells which one.
    return int(number) if number.is_integer() and abs(number) <= 2**53 else number


def _check_depth(value: Any) -> None:
    """Refuse what is nested too deep, or holds half a character. Level by level: recursion is what depth attacks."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH and any(isinstance(part, dict | list) for part in level):
            raise _too_deep()
        below: list[Any] = []
        for part in level:
            if isinstance(part, dict):
                below += part.keys()
                below += part.values()
            elif isinstance(part, list):
                below += part
            elif isinstance(part, str) and not part.isascii() and _is_broken(part):
                raise InvalidJsonError("The body holds half of a surrogate pair, which is no character.")
        level = below


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _too_deep() -> InvalidJsonError:
    return InvalidJsonError(f"The body is nested too deep: at most {MAX_DEPTH} arrays and objects within one another.")
