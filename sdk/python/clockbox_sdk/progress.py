"""How far the run has come."""

from typing import Optional

from . import _host


def report(done: int, total: Optional[int] = None, note: Optional[str] = None) -> None:
    """Reports `done` of `total` steps; a total of 0 is not known. Reports that come too fast are merged."""
    if done < 0 or (total is not None and total < 0):
        raise ValueError(f"progress counts from 0: {done} of {total}")
    _host.report(done, total or None, note)
