"""A clockbox job in Python: a typed function, run on time in a sandbox.

    from clockbox_sdk import job, log

    @job
    def run(name: str, times: int = 1) -> str:
        log.info("greeting", name=name)
        return "hello " * times + name
"""

from . import context, http, jobs, log, progress, state
from ._job import job
from .errors import Cancelled, Failure, Fatal, InvalidArgs, Retry, RetryAfter

__all__ = [
    "Cancelled",
    "Failure",
    "Fatal",
    "InvalidArgs",
    "Retry",
    "RetryAfter",
    "context",
    "http",
    "job",
    "jobs",
    "log",
    "progress",
    "state",
]
