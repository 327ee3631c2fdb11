"""What the job remembers from one run to the next: keys and values of its own, kept by the host.

Needs the right `allow.state`. What a run changes takes effect with its success, and not at all when it fails.
"""

import json
from typing import Any, Callable, Optional, TypeVar

from . import _host, _parts
from ._calls import HostError
from .errors import Fatal, Retry

_parts.require("state")

T = TypeVar("T")


class StateError(Fatal):
    """A call was refused: `kind` is `denied`, `invalid-key`, `quota-exceeded` or `other`."""

    kind: str


class StateUnavailable(Retry):
    """The host cannot read the state at the moment."""

    kind = "unavailable"


_CODES = {"denied": "state-denied", "invalid-key": "invalid-key", "quota-exceeded": "state-full"}


def get(key: str) -> Optional[bytes]:
    """The value of a key; `None` where there is none, or where it has expired."""
    return _ask("get", key)


def set(key: str, value: bytes | str, ttl: Optional[float] = None) -> None:
    """Sets the value of a key, bytes or text (as UTF-8); it is gone after `ttl` seconds."""
    _ask("set", key, _bytes(value), _millis(ttl))


def get_text(key: str) -> Optional[str]:
    """The value of a key as text; `None` where there is none. Bytes that are not UTF-8 become U+FFFD."""
    value = get(key)
    return None if value is None else value.decode(errors="replace")


def get_json(key: str, default: Any = None) -> Any:
    """The value of a key, read as JSON."""
    value = get(key)
    if value is None:
        return default
    try:
        return json.loads(value)
    except ValueError as error:
        raise _error("other", f"the value of {key!r} is not JSON: {error}") from error


def set_json(key: str, value: Any, ttl: Optional[float] = None) -> None:
    """Sets the value of a key, as JSON."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise _error("other", f"the value for {key!r} is not JSON: {error}") from error
    set(key, text, ttl)


def update(key: str, change: Callable[[Any], T], default: Any = None) -> T:
    """Reads a JSON value, changes it, and sets what comes out: `state.update("runs", lambda n: n + 1, 0)`."""
    changed = change(get_json(key, default))
    set_json(key, changed)
    return changed


def delete(key: str) -> bool:
    """Deletes a key; true where it had a value."""
    return _ask("delete", key)


def keys(prefix: str = "") -> list[str]:
    """The keys that begin with `prefix`, in the order of their bytes."""
    return _ask("keys", prefix)


def compare_and_swap(
    key: str, expected: Optional[bytes | str], value: Optional[bytes | str], ttl: Optional[float] = None
) -> bool:
    """Sets the value of a key (`None` deletes it) where it has the expected one (`None`: where it has none).

    That is compared again when the success of the run is recorded, and the attempt fails where somebody else has
    changed the key.
    """
    return _ask("compare_and_swap", key, _bytes_or_none(expected), _bytes_or_none(value), _millis(ttl))


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise _error("other", f"a value is text or bytes, not a {type(value).__name__}; `set_json` takes any other")


def _bytes_or_none(value: Any) -> Optional[bytes]:
    return None if value is None else _bytes(value)


def _millis(ttl: Optional[float]) -> Optional[int]:
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)) or not ttl >= 0:
        raise _error("other", f"ttl is {ttl!r}, and is to be a number of seconds from 0")
    return round(min(ttl * 1000, 2**53))


def _ask(call: str, *args: Any) -> Any:
    try:
        return _host.state(call, *args)
    except HostError as error:
        raise _error(error.kind, error.message) from None


def _error(kind: str, message: str) -> Exception:
    if kind == "unavailable":
        return StateUnavailable("state-unavailable", message)
    error = StateError(_CODES.get(kind, "state"), message)
    error.kind = kind
    return error
