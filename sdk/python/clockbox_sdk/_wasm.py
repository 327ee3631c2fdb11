"""The host inside the sandbox, through the bindings that componentize-py makes."""

import importlib
import sys
from typing import Any, Callable, Optional

from componentize_py_types import Err
from wit_world.imports import context, log, progress, types

from . import _later, _world, errors
from ._calls import HostError

for _name in _later.COMMON:
    importlib.import_module(_name)
sys.meta_path.append(_later.Later(_later.NAMES))

# A world may leave these out: they need a right of their own.
try:
    from wit_world.imports import store
except ImportError:
    store = None
try:
    from wit_world.imports import control
except ImportError:
    control = None
try:
    from wit_world.imports import client
except ImportError:
    client = None

job_id = context.job_id
run_id = context.run_id
attempt = context.attempt
scheduled_at = context.scheduled_at
previous_success = context.previous_success
idempotency_key = context.idempotency_key
deadline_ms = context.deadline_ms
is_cancelled = context.is_cancelled
config = context.config
report = progress.report


_IMPORTED = {"http": client, "jobs": control, "state": store}


def refusal(part: str) -> Optional[ImportError]:
    """Why a part of the package cannot be had, if it cannot: the world that was built says so, its file only where."""
    if _IMPORTED[part] is not None:
        return None
    return _world.refusal(part, _world.text()) or _world.refusal(part, None)


def cause() -> str:
    return context.cause().name.lower()


def write(level: str, message: str, fields: list[tuple[str, str]]) -> None:
    log.write(log.Level[level.upper()], message, [log.Field(key, value) for key, value in fields])


def state(call: str, *args: Any) -> Any:
    return _ask(store, call, args)


def jobs(call: str, *args: Any) -> Any:
    if call == "add":
        name, job, conflict = args
        args = (name, job, control.Conflict[conflict.upper()])
    return _ask(control, call, args)


def send(request: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    asked = client.Request(
        request.method,
        request.url,
        [client.Header(name, value) for name, value in request.headers.items()],
        request.body,
        None if request.timeout is None else round(min(request.timeout * 1000, 2**53)),
        None if request.max_body is None else min(request.max_body, 2**64 - 1),
    )
    answer = _ask(client, "send", (asked,))
    return answer.status, [(header.name, header.value) for header in answer.headers], answer.body


def _ask(interface: Any, call: str, args: tuple[Any, ...]) -> Any:
    try:
        return getattr(interface, call)(*args)
    except Err as error:
        # Error_NoSuchJob is the case no-such-job.
        case = type(error.value).__name__.removeprefix("Error_")
        kind = "".join("-" + letter.lower() if letter.isupper() else letter for letter in case).lstrip("-")
        raise HostError(kind, error.value.value) from None


def runner(call: Callable[[str], Optional[str]]) -> type:
    class Runner:
        def run(self, args: str) -> Optional[str]:
            try:
                return call(args)
            except errors.Failure as error:
                raise Err(_job_error(error)) from error

    return Runner


def _job_error(error: errors.Failure) -> Any:
    failure = types.Failure(error.code, error.message)
    match error:
        case errors.RetryAfter():
            return types.JobError_RetryAfter(types.RetryAfter(failure, round(min(error.delay * 1000, 2**53))))
        case errors.InvalidArgs():
            return types.JobError_InvalidArgs(failure)
        case errors.Fatal():
            return types.JobError_Fatal(failure)
        case errors.Cancelled():
            return types.JobError_Cancelled(failure)
        case _:
            return types.JobError_Retry(failure)
