"""APScheduler 3.x doing nothing as fast as it can: the peer of the bench `figures`, which reads the JSON printed here.

python3 apscheduler.py MEMORY_JOBS SQLITE_JOBS FOLDER

Jobs are calls of a function that does nothing, due at one instant, in a thread pool of 20 threads; first with the
memory job store, then with SQLAlchemyJobStore on a SQLite file in FOLDER, with the settings that APScheduler makes.
A rate is jobs by the time from the moment they are due to the end of the last call.
"""

import json
import pathlib
import sys
import threading
import time
from datetime import datetime, timedelta, timezone

# This file has the name of the package that it measures: the folder of the script must not come first.
sys.path.pop(0)

import apscheduler  # noqa: E402
from apscheduler.executors.pool import ThreadPoolExecutor  # noqa: E402
from apscheduler.jobstores.memory import MemoryJobStore  # noqa: E402
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore  # noqa: E402
from apscheduler.schedulers.background import BackgroundScheduler  # noqa: E402

THREADS = 20
# As a job store on disk wants a function: a reference that can be imported again.
CALL = "__main__:noop"

_lock = threading.Lock()
_started = []
_all_done = threading.Event()
_expected = 0


def noop():
    """The whole work of a job."""
    now = time.time()
    with _lock:
        _started.append(now)
        if len(_started) == _expected:
            _all_done.set()


def measure(store, count):
    """Jobs added and run a second with this store."""
    global _expected
    _started.clear()
    _all_done.clear()
    _expected = count
    scheduler = BackgroundScheduler(
        jobstores={"default": store},
        executors={"default": ThreadPoolExecutor(THREADS)},
        job_defaults={"misfire_grace_time": None},
        timezone=timezone.utc,
    )
    # Paused, so that adding is adding alone; the jobs are due by the time it resumes.
    scheduler.start(paused=True)
    due = datetime.now(timezone.utc) + timedelta(milliseconds=1)
    begin = time.perf_counter()
    for _ in range(count):
        scheduler.add_job(CALL, "date", run_date=due)
    adding = time.perf_counter() - begin
    begin_wall = time.time()
    begin = time.perf_counter()
    scheduler.resume()
    if not _all_done.wait(600):
        raise SystemExit(f"only {len(_started)} of {count} jobs ran within 600 s")
    running = time.perf_counter() - begin
    scheduler.shutdown()
    late = sorted(at - begin_wall for at in _started)
    return {
        "jobs": count,
        "adding": count / adding,
        "running": count / running,
        "late_p99_ms": late[int(len(late) * 0.99)] * 1000,
    }


def main():
    memory, sqlite, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    answer = {
        "apscheduler": apscheduler.version,
        "python": sys.version.split()[0],
        "memory": measure(MemoryJobStore(), memory),
        "sqlite": measure(SQLAlchemyJobStore(url=f"sqlite:///{folder / 'apscheduler.db'}"), sqlite),
    }
    json.dump(answer, sys.stdout)


main()
