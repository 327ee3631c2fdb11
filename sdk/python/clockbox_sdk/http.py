"""A small blocking HTTP client.

Needs the right `allow.http`, and a world that imports `clockbox:http/client`. Redirects are not followed: their target may
be another origin. A status such as 404 is an answer like any other.

    response = http.get("https://api.example.com/rate", headers={"accept": "application/json"}, timeout=5)
    if response.ok:
        rate = response.json()["rate"]
"""

import json as _json
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Union

from . import _host, _parts
from ._calls import HostError
from .errors import Failure, Fatal, InvalidArgs, Retry

_parts.require("http")


class HttpError(Failure):
    """No answer was had, for the reason that `kind` names."""

    def __init__(self, kind: str, message: object) -> None:
        # By name: the next in line may be a class with other parameters.
        Failure.__init__(self, _CODES.get(kind, "protocol"), message)
        self.kind = kind


class InvalidRequest(HttpError, InvalidArgs):
    """The request itself is wrong, as mostly are the arguments that it was made of: `invalid-request`."""


class NotAllowed(HttpError, Fatal):
    """The same request will fail the same way again: `denied` or `too-large`."""


class NoAnswer(HttpError, Retry):
    """It may be answered the next time: `dns`, `connect`, `timeout`, `tls`, `protocol` or `other`."""


_KINDS = ("invalid-request", "denied", "dns", "connect", "timeout", "tls", "too-large", "protocol")
_CODES = {kind: kind for kind in _KINDS} | {"denied": "http-denied"}


@dataclass(frozen=True)
class Request:
    """What is asked; the answers of tests are given it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    timeout: Optional[float]
    max_body: Optional[int]


@dataclass(frozen=True)
class Response:
    """What came back. Headers have names in lower case; several values of a name are joined by commas."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the status is one of 200 to 299."""
        return 200 <= self.status < 300

    def text(self) -> str:
        """The body; bytes that are not UTF-8 become U+FFFD."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body, read as JSON."""
        try:
            return _json.loads(self.text())
        except ValueError as error:
            raise NoAnswer("protocol", f"the body is not JSON: {error}") from error


def get(url: str, **options: Any) -> Response:
    """Sends a GET request, with the options of `request`."""
    return request("GET", url, **options)


def post(url: str, body: Union[bytes, str] = b"", **options: Any) -> Response:
    """Sends a POST request, with the options of `request`."""
    return request("POST", url, body=body, **options)


_NONE = object()


def request(
    method: str,
    url: str,
    *,
    headers: Optional[Mapping[str, str]] = None,
    body: Union[bytes, str] = b"",
    json: Any = _NONE,
    timeout: Optional[float] = None,
    max_body: Optional[int] = None,
) -> Response:
    """Sends a request and waits for the whole answer. Any status is one.

    `json` becomes the body, as JSON. `timeout` is the longest that the whole exchange may take, in seconds; else it is
    what the manifest says. `max_body` is the most bytes of the answer's body; else it is `limits.response` of the plugin.
    """
    sent = {name: str(value) for name, value in (headers or {}).items()}
    if json is not _NONE:
        if body:
            raise TypeError("a request has a body or json, not both")
        body = _written(json)
        if not any(name.lower() == "content-type" for name in sent):
            sent["content-type"] = "application/json"
    if (timeout is not None and not timeout >= 0) or (max_body is not None and max_body < 0):
        raise InvalidRequest("invalid-request", f"timeout ({timeout}) and max_body ({max_body}) count from 0")
    data = body.encode() if isinstance(body, str) else bytes(body)
    try:
        status, fields, answer = _host.send(Request(method, url, sent, data, timeout, max_body))
    except HostError as error:
        raise _error(error.kind, error.message) from None
    return Response(status, _joined(fields), answer)


def _written(value: Any) -> str:
    try:
        return _json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidRequest("invalid-request", f"the body is not JSON: {error}") from error


def _joined(fields: list[tuple[str, str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in fields:
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _error(kind: str, message: str) -> HttpError:
    if kind == "invalid-request":
        return InvalidRequest(kind, message)
    return (NotAllowed if kind in ("denied", "too-large") else NoAnswer)(kind, message)
