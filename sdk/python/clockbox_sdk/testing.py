"""The host's part in unit tests: outside a sandbox the job talks to this module.

    from clockbox_sdk import testing
    from app import run

    def test_it_greets():
        host = testing.reset(attempt=2)
        assert testing.call(run, {"name": "Ada"}) == "hello Ada"
        assert host.lines[0].message == "greeting"
"""

import copy
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Optional

from . import _keys
from ._calls import HostError

if TYPE_CHECKING:
    from . import http


@dataclass(frozen=True)
class Line:
    """A line that the job logged."""

    level: str
    message: str
    fields: dict[str, str]


@dataclass
class Host:
    """What the host knows and has heard."""

    job_id: str = "test-job"
    run_id: str = "test-run"
    attempt: int = 1
    scheduled_at: str = "2030-01-01T00:00:00+00:00"
    previous_success: Optional[str] = None
    cause: str = "trigger"
    idempotency_key: str = "test-key"
    deadline: float = 60.0
    cancelled: bool = False
    config: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    progress: Optional[tuple[int, Optional[int], Optional[str]]] = None
    state: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: list[tuple[str, Any]] = field(default_factory=list)
    http: Optional[Callable[["http.Request"], "http.Response"]] = None
    """Answers the requests of `clockbox_sdk.http`, or raises one of its errors; without it they are denied."""

    def change_jobs(self, call: str, *args: Any) -> Any:
        """What `clockbox_sdk.jobs` asks for, in the JSON of the interface."""
        if call == "list":
            return sorted(self.jobs)
        name = args[0]
        if call == "get":
            return json.dumps(self.jobs[name]) if name in self.jobs else None
        if call == "add":
            _keys.check_name(name)
            keys = _keys.read_job(args[1])
            if name not in self.jobs or args[2] == "replace":
                self.jobs[name] = keys
            elif args[2] == "error":
                raise HostError("job-exists", f"there is a job {name!r} already")
            return None
        if name not in self.jobs:
            raise HostError("no-such-job", f"there is no job {name!r}")
        match call:
            case "modify":
                self.jobs[name].update(_keys.read_changes(args[1]))
            case "pause":
                self.jobs[name]["paused"] = {"note": args[1]}
            case "resume":
                self.jobs[name]["paused"] = None
            case "remove":
                del self.jobs[name]
            case "run":
                self.runs.append((name, None if args[1] is None else json.loads(args[1])))


host = Host()


def reset(**facts: Any) -> Host:
    """A new host with these facts, for the runs to come."""
    global host
    host = Host(**facts)
    return host


def call(function: Callable[..., Any], args: Any = None) -> Any:
    """Calls a job as the host does, and gives its output, parsed. What a failed run changed is undone."""
    from . import _job, _signature

    _signature.check(function)
    before = copy.deepcopy((host.state, host.jobs, host.runs))
    try:
        output = _job.call(function, json.dumps(args))
    except Exception:
        host.state, host.jobs, host.runs = before
        raise
    return None if output is None else json.loads(output)
