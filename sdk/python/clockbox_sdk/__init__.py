"""A clockbox job in Python: a typed function, run on time in a sandbox.

    from clockbox_sdk import job, log

    @job
    def run(name: str, times: int = 1) -> str:
        log.info("greeting", name=name)
        return "hello " * times + name

README.md beside this file shows each part.
"""

import importlib
from typing import TYPE_CHECKING, Any

from . import _host, context, log, progress
from ._job import job
from .errors import Cancelled, Failure, Fatal, InvalidArgs, Retry, RetryAfter

if TYPE_CHECKING:
    from . import http, jobs, state  # noqa: F401

__all__ = [
    "Cancelled",
    "Failure",
    "Fatal",
    "InvalidArgs",
    "Retry",
    "RetryAfter",
    "context",
    "job",
    "log",
    "progress",
]

_PARTS = ("http", "jobs", "state")

# In the sandbox nothing is loaded later than the build, so what there is, is loaded here.
for _part in _PARTS:
    if _host.refusal(_part) is None:
        importlib.import_module(f".{_part}", __name__)
        __all__.append(_part)


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        # It refuses, and says what is lacking.
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
