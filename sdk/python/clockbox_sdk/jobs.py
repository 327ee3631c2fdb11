"""Adding, changing and running other jobs.

Needs the right `allow.jobs`. What is asked for takes effect with the success of the run, and not at all when it fails.
"""

import json
from typing import Any, Literal, Mapping, Optional

from . import _host, _parts
from ._calls import HostError
from .errors import Fatal, Retry

_parts.require("jobs")

Conflict = Literal["error", "replace", "ignore"]


class JobsError(Fatal):
    """A call was refused: `kind` is `denied`, `no-such-job`, `job-exists`, `invalid` or `other`."""

    kind: str


class JobsBusy(Retry):
    """Too many jobs or changes, or the host cannot look at its jobs at the moment: `too-many` or `unavailable`."""

    kind: str


_CODES = {
    "denied": "jobs-denied",
    "no-such-job": "no-such-job",
    "job-exists": "job-exists",
    "invalid": "invalid-job",
    "too-many": "too-many-jobs",
    "unavailable": "jobs-unavailable",
}
_NONE = object()


def add(name: str, job: Optional[Mapping[str, Any]] = None, on_conflict: Conflict = "error") -> None:
    """Adds a job with the keys of a section `[jobs.NAME]` of the manifest; without a trigger it runs once, at once."""
    if on_conflict not in ("error", "replace", "ignore"):
        raise ValueError(f"on_conflict is error, replace or ignore, not {on_conflict!r}")
    _ask("add", name, _text({} if job is None else job), on_conflict)


def modify(name: str, **changes: Any) -> None:
    """Changes a job that a run added: the keys to change."""
    _ask("modify", name, _text(changes))


def pause(name: str, note: Optional[str] = None) -> None:
    """Lets a job not fire until it is resumed, and says why."""
    _ask("pause", name, note)


def resume(name: str) -> None:
    """Lets a job fire again."""
    _ask("resume", name)


def remove(name: str) -> None:
    """Removes a job that a run added."""
    _ask("remove", name)


def run(name: str, args: Any = _NONE) -> None:
    """Runs a job once, on top of its schedule, with its own arguments or with these."""
    _ask("run", name, None if args is _NONE else _text(args))


def list() -> list[str]:
    """The names of the jobs that the run can see, in order."""
    return _ask("list")


def get(name: str) -> Optional[dict[str, Any]]:
    """A job that the run can see, with its keys and times; `None` where there is none."""
    text = _ask("get", name)
    return None if text is None else json.loads(text)


def _text(value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise _refused("invalid", f"it is not JSON: {error}") from error


def _ask(call: str, *args: Any) -> Any:
    try:
        return _host.jobs(call, *args)
    except HostError as error:
        raise _refused(error.kind, error.message) from None


def _refused(kind: str, message: str) -> Exception:
    case = JobsBusy if kind in ("too-many", "unavailable") else JobsError
    refused = case(_CODES.get(kind, "jobs"), message)
    refused.kind = kind
    return refused
