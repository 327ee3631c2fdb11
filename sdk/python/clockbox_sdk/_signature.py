"""Whether a function can be a job. That is told when its module is loaded, as tests do and the build does."""

import dataclasses
import enum
import inspect
import typing
from typing import Any, Callable

from . import _args

_TYPES = "str, int, float, bool, None, Any, Literal, list, dict, unions of them, enums and dataclasses"


def check(function: Callable[..., Any]) -> None:
    """Raises a `TypeError` where no arguments could make this function run as a job."""
    name = getattr(function, "__qualname__", repr(function))
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{name} is async, and jobs run synchronously; leave `async` out")
    if inspect.isgeneratorfunction(function):
        raise TypeError(f"{name} yields, and a job returns its output; return a list")
    parameters = list(inspect.signature(function).parameters.values())
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(
                f"{name}: `{parameter}` names no argument; each parameter is one, and `def run(args: dict, /)` takes any"
            )
        if parameter.kind is parameter.POSITIONAL_ONLY and len(parameters) > 1:
            raise TypeError(
                f"{name}: `{parameter.name}` has no name for the arguments; `/` is for one parameter that takes all of them"
            )
    hints = _hints(function)
    for parameter in parameters:
        _check_type(hints.get(parameter.name, Any), f"{name}: {parameter.name}", set())


def _hints(of: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(of)
    except NameError:
        # A name further down in the module: the first call tells.
        return {}


def _check_type(hint: Any, path: str, seen: set[Any]) -> None:
    origin, parts = _args.origin(hint), typing.get_args(hint)
    options = _args.options(hint)
    if len(options) > 1:
        for option in options:
            _check_type(option, path, seen)
    elif dataclasses.is_dataclass(origin):
        if origin not in seen:
            seen.add(origin)
            hints = _hints(origin)
            for field in dataclasses.fields(origin):
                if field.init:
                    _check_type(hints.get(field.name, Any), f"{path}.{field.name}", seen)
    elif origin is list:
        for item in parts:
            _check_type(item, f"{path}[]", seen)
    elif origin is dict:
        if parts and parts[0] not in (str, Any):
            raise TypeError(f"{path}: the keys of a JSON object are text; write dict[str, …], not {_shown(hint)}")
        for item in parts[1:]:
            _check_type(item, f"{path}.*", seen)
    elif not (
        hint is Any
        or origin is typing.Literal
        or origin in _args.WORDS
        or origin is None
        or (isinstance(origin, type) and issubclass(origin, enum.Enum))
    ):
        raise TypeError(f"{path}: an argument cannot be of type {_shown(hint)}; it can be of {_TYPES}")


def _shown(hint: Any) -> str:
    if isinstance(hint, type) and not typing.get_args(hint):
        return hint.__qualname__ if hint.__module__ == "builtins" else f"{hint.__module__}.{hint.__qualname__}"
    return str(hint)
