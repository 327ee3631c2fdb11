"""What the host refuses of a job before it looks at what the keys say: for `testing`."""

import json
from typing import Any

from ._calls import HostError

_CHANGED = (
    "plugin", "trigger", "args", "pool", "misfire_grace", "coalesce", "max_instances", "overlap", "priority", "delivery", "retry",
    "when_done",
)  # fmt: skip
_ADDED = (*_CHANGED, "allow", "enabled")


def check_name(name: str) -> None:
    """A name has up to 128 bytes of letters, digits and `. _ - : @`."""
    length = len(name.encode())
    if length == 0:
        raise _invalid("a job name must not be empty")
    if length > 128:
        raise _invalid(f"the job name is {length} bytes long; at most 128 are allowed")
    for letter in name:
        if not (letter.isalnum() or letter in "._-:@"):
            raise _invalid(f"{letter!r} is not allowed in a job name; use letters, digits, '.', '_', '-', ':' and '@'")


def read_job(text: str) -> dict[str, Any]:
    """The keys of a job that is added."""
    keys = _read(text, _ADDED)
    if keys.get("enabled") is False:
        raise _invalid("enabled: a job that is added while the host runs cannot be disabled; add it, and pause it")
    return keys


def read_changes(text: str) -> dict[str, Any]:
    """The keys of a job that are changed."""
    return _read(text, _CHANGED)


def _read(text: str, known: tuple[str, ...]) -> dict[str, Any]:
    keys = json.loads(text)
    if not isinstance(keys, dict):
        raise _invalid("the job is not a JSON object")
    for key, value in keys.items():
        if key not in known and value is not None:
            raise _invalid(f"{key}: unknown key; known are: {', '.join(known)}")
    # A key that is null is one that is not there; arguments may be.
    return {key: value for key, value in keys.items() if value is not None or key == "args"}


def _invalid(message: str) -> HostError:
    return HostError("invalid", message)
