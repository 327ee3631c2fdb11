"""The facts of the run that is under way."""

from datetime import datetime
from typing import Literal, Optional

from . import _host
from .errors import Cancelled


def job_id() -> str:
    """The name of the job."""
    return _host.job_id()


def run_id() -> str:
    """The id of the run; the same over all its attempts."""
    return _host.run_id()


def attempt() -> int:
    """The number of this attempt, from 1."""
    return _host.attempt()


def scheduled_at() -> datetime:
    """The time that the run was scheduled for, in the zone of the job."""
    return datetime.fromisoformat(_host.scheduled_at())


def previous_success() -> Optional[datetime]:
    """The scheduled time of the job's latest successful run before this one."""
    text = _host.previous_success()
    return None if text is None else datetime.fromisoformat(text)


def cause() -> Literal["trigger", "manual"]:
    """Why the run exists."""
    return _host.cause()


def idempotency_key() -> str:
    """A key that names this run for ever: hand it to services that can tell a repetition apart."""
    return _host.idempotency_key()


def deadline() -> float:
    """How many seconds are left before this attempt is stopped."""
    return _host.deadline_ms() / 1000


def is_cancelled() -> bool:
    """Whether the host wants this run to stop soon."""
    return _host.is_cancelled()


def check_cancelled() -> None:
    """Ends the run where the host wants it to stop: a job that loops calls this now and then."""
    if is_cancelled():
        raise Cancelled()


def config(key: str) -> Optional[str]:
    """A value of the plugin's `config` table in the manifest, or a secret."""
    return _host.config(key)
