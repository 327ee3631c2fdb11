"""The host outside a sandbox: whatever `testing` was told."""

from typing import Any, Callable, Optional

from . import _world, testing
from ._calls import HostError


def refusal(part: str) -> Optional[ImportError]:
    """Why a part of the package cannot be had in the sandbox, so that a test finds no more; nothing outside a project."""
    world = _world.text()
    return None if world is None else _world.refusal(part, world)


def job_id() -> str:
    return testing.host.job_id


def run_id() -> str:
    return testing.host.run_id


def attempt() -> int:
    return testing.host.attempt


def scheduled_at() -> str:
    return testing.host.scheduled_at


def previous_success() -> Optional[str]:
    return testing.host.previous_success


def cause() -> str:
    return testing.host.cause


def idempotency_key() -> str:
    return testing.host.idempotency_key


def deadline_ms() -> int:
    return round(testing.host.deadline * 1000)


def is_cancelled() -> bool:
    return testing.host.cancelled


def config(key: str) -> Optional[str]:
    return testing.host.config.get(key)


def write(level: str, message: str, fields: list[tuple[str, str]]) -> None:
    testing.host.lines.append(testing.Line(level, message, dict(fields)))


def report(done: int, total: Optional[int], note: Optional[str]) -> None:
    testing.host.progress = (done, total, note)


def state(call: str, *args: Any) -> Any:
    kept = testing.host.state
    match call, args:
        case "get", (key,):
            return kept.get(key)
        case "set", (key, value, _):
            if not 1 <= len(key.encode()) <= 512 or not key.isprintable():
                raise HostError("invalid-key", "a key has 1 to 512 bytes and no control characters")
            kept[key] = value
        case "delete", (key,):
            return kept.pop(key, None) is not None
        case "keys", (prefix,):
            return sorted((key for key in kept if key.startswith(prefix)), key=str.encode)
        case "compare_and_swap", (key, expected, value, _):
            if kept.get(key) != expected:
                return False
            if value is None:
                kept.pop(key, None)
            else:
                kept[key] = value
            return True


def jobs(call: str, *args: Any) -> Any:
    return testing.host.change_jobs(call, *args)


def send(request: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    if testing.host.http is None:
        raise HostError("denied", f"{request.method} {request.url}: the test has no `host.http` that answers")
    answer = testing.host.http(request)
    if request.max_body is not None and len(answer.body) > request.max_body:
        raise HostError("too-large", f"more than {request.max_body} bytes")
    return answer.status, list(answer.headers.items()), answer.body


def runner(call: Callable[[str], Optional[str]]) -> type:
    """Outside a sandbox nobody looks for the class; the job is called as a function or by `testing.call`."""

    class Runner:
        def run(self, args: str) -> Optional[str]:
            return call(args)

    return Runner
