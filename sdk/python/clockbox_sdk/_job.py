"""From a typed function to the exported one."""

import dataclasses
import enum
import json
import traceback
from typing import Any, Callable, Optional, TypeVar

from . import _args, _host, _signature
from .errors import Failure, Fatal, InvalidArgs, Retry

Function = TypeVar("Function", bound=Callable[..., Any])


def job(function: Function) -> Function:
    """Makes a function the job of this plugin; it can still be called as it is.

    Its arguments are those of the job in the manifest: one dataclass, or a parameter for each key. What it returns is
    the output: anything that JSON can hold, dataclasses and enums too; `None` is no output. A function that cannot be
    one, such as one with an argument of a type that JSON has not, is a `TypeError`.
    """
    _signature.check(function)
    # componentize-py looks for a class with the name of the exported interface in the module of the program.
    function.__globals__["Runner"] = _host.runner(lambda args: call(function, args))
    return function


def call(function: Callable[..., Any], args: str) -> Optional[str]:
    """What the exported function does: text in, function, text out. Raises a `Failure` and nothing else."""
    try:
        bound = _args.bind(function, _parse(args))
    except (TypeError, NameError) as error:
        # It names a type that is none, or none for arguments: no other attempt helps.
        raise Fatal("bad-signature", f"{type(error).__name__}: {error}") from error
    try:
        output = function(*bound.args, **bound.kwargs)
    except Failure:
        raise
    except Exception as error:
        # Where it was raised goes to stderr, which the host keeps with the run.
        traceback.print_exc()
        if isinstance(error, ModuleNotFoundError):
            # No other attempt finds it.
            raise Fatal("no-module", f"{error}; import it at the head of the module: a run finds what was loaded at the build") from error
        raise Retry("error", f"{type(error).__name__}: {error}") from error
    if output is None:
        return None
    try:
        return json.dumps(output, default=_encode, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise Fatal("bad-output", f"the output is not JSON: {error}") from error


def _parse(args: str) -> Any:
    try:
        return json.loads(args) if args.strip() else None
    except (ValueError, RecursionError) as error:
        raise InvalidArgs(f"not JSON: {error}") from error


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")
