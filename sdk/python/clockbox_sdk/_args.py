"""From JSON to the types that a function names."""

import dataclasses
import enum
import inspect
import types
import typing
from typing import Any, Callable

from .errors import InvalidArgs

WORDS = {str: "a string", int: "an integer", float: "a number", bool: "true or false", type(None): "null"}


def bind(function: Callable[..., Any], args: Any) -> inspect.BoundArguments:
    """The call of `function` that these arguments ask for.

    Each parameter is a key of the object. One parameter alone gets the whole value where it is a dataclass, or has no
    name for callers: `def run(paths: list[str], /)`. No arguments are an empty object.
    """
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function)
    parameters = list(signature.parameters.values())
    if len(parameters) == 1:
        [parameter] = parameters
        hint = hints.get(parameter.name, Any)
        if parameter.kind is parameter.POSITIONAL_ONLY or _is(hint, dataclasses.is_dataclass):
            if args is None and parameter.default is not parameter.empty:
                return signature.bind()
            if args is None and not _accepts_none(hint) and _is(hint, lambda kind: kind is dict or dataclasses.is_dataclass(kind)):
                args = {}
            return signature.bind(convert(args, hint, "args"))
    fields = {
        parameter.name: (hints.get(parameter.name, Any), parameter.default is not parameter.empty)
        for parameter in parameters
    }
    return signature.bind(**_object({} if args is None else args, fields, "args"))


def _is(hint: Any, kind: Callable[[Any], bool]) -> bool:
    return any(kind(origin(option)) for option in options(hint))


def options(hint: Any) -> tuple[Any, ...]:
    """The members of a union; of any other type, itself."""
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def _accepts_none(hint: Any) -> bool:
    return hint is Any or type(None) in options(hint) or None in options(hint)


def origin(hint: Any) -> Any:
    """`list` of `list[str]`; of a plain type, itself."""
    return typing.get_origin(hint) or hint


def convert(value: Any, hint: Any, path: str) -> Any:
    """`value`, as the type that `hint` names."""
    kind = origin(hint)
    if hint is Any or hint is inspect.Parameter.empty:
        return value
    choices = options(hint)
    if len(choices) > 1:
        return _any_of(value, choices, path)
    if kind is typing.Literal:
        if value in typing.get_args(hint):
            return value
        raise _wrong(path, value, " or ".join(repr(choice) for choice in typing.get_args(hint)))
    if dataclasses.is_dataclass(kind):
        return _dataclass(value, kind, path)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        try:
            return kind(value)
        except ValueError:
            raise _wrong(path, value, " or ".join(repr(member.value) for member in kind)) from None
    if kind is list:
        (item,) = typing.get_args(hint) or (Any,)
        if not isinstance(value, list):
            raise _wrong(path, value, "a list")
        return [convert(each, item, f"{path}[{index}]") for index, each in enumerate(value)]
    if kind is dict:
        _, item = typing.get_args(hint) or (str, Any)
        if not isinstance(value, dict):
            raise _wrong(path, value, "an object")
        return {key: convert(each, item, f"{path}.{key}") for key, each in value.items()}
    return _plain(value, kind, path)


def _plain(value: Any, kind: Any, path: str) -> Any:
    if kind is None:
        kind = type(None)
    if kind is float and type(value) is int:
        return float(value)
    if kind not in WORDS:
        raise TypeError(f"{path}: an argument cannot be of type {kind!r}")
    # `type` and not `isinstance`: to Python, true is an integer.
    if type(value) is not kind:
        raise _wrong(path, value, WORDS[kind])
    return value


def _any_of(value: Any, options: tuple[Any, ...], path: str) -> Any:
    refusals = []
    for option in options:
        try:
            return convert(value, option, path)
        except InvalidArgs as refusal:
            refusals.append(refusal)
    # The last one that is not about null says most.
    raise [refusal for refusal, option in zip(refusals, options) if option is not type(None)][-1]


def _dataclass(value: Any, kind: Any, path: str) -> Any:
    hints = typing.get_type_hints(kind)
    fields = {
        field.name: (
            hints[field.name],
            field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING,
        )
        for field in dataclasses.fields(kind)
        if field.init
    }
    return kind(**_object(value, fields, path))


def _object(value: Any, fields: dict[str, tuple[Any, bool]], path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(path, value, "an object")
    for key in value:
        if key not in fields:
            known = ", ".join(fields) or "there are none"
            raise InvalidArgs(f"{path}.{key}: unknown; known are: {known}")
    for name, (_, has_default) in fields.items():
        if name not in value and not has_default:
            raise InvalidArgs(f"{path}.{name}: missing")
    return {name: convert(each, fields[name][0], f"{path}.{name}") for name, each in value.items()}


def _wrong(path: str, value: Any, expected: str) -> InvalidArgs:
    shown = repr(value) if len(repr(value)) <= 60 else f"a {type(value).__name__}"
    return InvalidArgs(f"{path}: expected {expected}, found {shown}")
